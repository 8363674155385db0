"""Measures key rotations and erasures in a process of a running site; for `bench.rotation`."""

import json
import re
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts import ciphers, key_rotation, keyring
from accounts.models import MasterKey, User
from bench import people
from datasets.clips import fingerprints, vault
from datasets.models import Clip, Withdrawal
from tagger.privacy import key_copy, withdrawal
from tests.support.rotation import advance, age

SIGN_UPS = 2  # processes in which people sign up one after the other
QUIET = 5.0  # seconds of sign-ups without anything else
ENOUGH = 20_000  # rows for which the encryption alone is measured
TIMES = 3  # erasures of each kind
SOUND = 64_000  # bytes of a clip

# The steps of a rotation: where each is called.
STEPS = {
    "rewrap": key_rotation,
    "rehash": fingerprints,
    "complete": key_copy,
    "retire": key_rotation,
    "destroy": key_rotation,
}
# Everything that a rotation changes in the database, in one statement for each table.
BARE = [
    "UPDATE accounts_datakey SET wrapped = wrapped || '', master = '9999' WHERE master = %(master)s",
    "UPDATE accounts_user SET username = reverse(username) FROM accounts_datakey key"
    " WHERE key.person_id = accounts_user.id AND key.master = '9999'",
    "UPDATE datasets_clip SET samples_hash = reverse(samples_hash), sealed_samples = sealed_samples || '',"
    " hashed_under = 9999 WHERE hashed_under = %(master)s::integer",
]
READ = (
    "SELECT sum(pg_stat_get_tuples_returned(oid)) FROM pg_class WHERE relkind IN ('r', 'i') AND oid >= 16384"
)


def measure(number: int) -> None:
    """Fill the site up to this many people, and print the figures as one line of JSON."""
    people.grow(number, timezone.now())
    figures = {"people": User.objects.count(), "clips": Clip.objects.count()}
    with signing_up() as sign_ups:
        figures["quiet"] = sign_ups.slowest(lambda: time.sleep(QUIET))
        figures["bare"] = sign_ups.slowest(bare_update)
        figures["rotation"] = sign_ups.slowest(rotate)
    figures["encryption"] = encryption(figures["people"], figures["clips"])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    figures["erasures"] = dict(erasures())
    print(json.dumps(figures))


class SignUps:
    """People who sign up all the time, in other processes."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def slowest(self, act: Callable[[], Any]) -> dict[str, Any]:
        """What the act says, the seconds it took, and the slowest sign-up during it."""
        began = time.monotonic()
        says = act()
        ended = time.monotonic()
        time.sleep(1)  # until those that it kept waiting are through
        took = [end - start for start, end in self._all() if start < ended and end > began]
        return {"says": says, "seconds": ended - began, "slowest": max(took, default=0.0), "times": len(took)}

    def _all(self) -> Iterator[list[float]]:
        for file in self.files:
            for line in file.read_text().splitlines():
                yield [float(each) for each in line.split()]


@contextmanager
def signing_up() -> Iterator[SignUps]:
    """They run as another terminal would, on the same home."""
    code = "from bench import signups; signups.run()"
    command = [sys.executable, "manage.py", "shell", "-v", "0", "--no-imports", "-c", code]
    files = [keyring.folder().parent / f"signups {number}" for number in range(SIGN_UPS)]
    programs = []
    try:
        for file in files:
            with file.open("w") as out:
                programs.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out))
        while not all(file.read_text() for file in files):
            time.sleep(0.1)
        yield SignUps(files)
    finally:
        for program in programs:
            program.communicate()
            assert program.returncode == 0, "signing up failed"


def bare_update() -> None:
    """The floor: the same rows, changed by the database alone and all at once. It is rolled back."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in BARE:
            cursor.execute(statement, {"master": MasterKey.objects.current().name})
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")


def rotate() -> dict[str, float]:
    """Someone leaves, and a whole rotation ends with the old master key. Returns the seconds of each step."""
    leaver = User.objects.order_by("pk")[5]
    withdrawal.forget_account(leaver, False, timezone.now())
    scrub()
    with timed() as seconds:
        for _ in range(2):
            age()
            advance()
    assert not Withdrawal.objects.filter(backups_closed_at=None).exists()
    assert len(keyring.masters()) == 1
    return seconds


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    seconds: Counter[str] = Counter()
    real = {name: getattr(module, name) for name, module in STEPS.items()}

    def clocked(name: str) -> Callable[..., Any]:
        def step(*args: Any) -> Any:
            began = time.perf_counter()
            try:
                return real[name](*args)
            finally:
                seconds[name] += time.perf_counter() - began

        return step

    for name, module in STEPS.items():
        setattr(module, name, clocked(name))
    try:
        yield seconds
    finally:
        for name, module in STEPS.items():
            setattr(module, name, real[name])


def encryption(number: int, clips: int) -> float:
    """Seconds to open and seal again, without a database, what a rotation moves."""
    master, key, fingerprint = (secrets.token_bytes(size) for size in (32, 32, 64))
    wrapped, name = ciphers.seal(master, key, "key"), ciphers.seal(key, b"person 1000", "name")
    sealed = ciphers.seal(key, fingerprint, "clip")

    def person() -> None:
        ciphers.unseal(master, wrapped, "key")
        ciphers.unseal(key, name, "name")
        ciphers.unseal(master, ciphers.seal(master, key, "key"), "key")

    def clip() -> None:
        ciphers.seal(key, ciphers.unseal(key, sealed, "clip"), "clip")

    return number * _each(person) + clips * _each(clip)


def _each(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    for _ in range(ENOUGH):
        act()
    return (time.perf_counter() - began) / ENOUGH


def erasures() -> Iterator[tuple[str, dict[str, float]]]:
    """The median of what `TIMES` erasures of each kind read and write."""
    people_ = iter(User.objects.filter(clips__isnull=False).order_by("-pk").distinct()[: 3 * TIMES])
    kinds = {
        "leaves, answers removed": lambda person: withdrawal.forget_account(person, False, timezone.now()),
        "leaves, answers stay": lambda person: withdrawal.forget_account(person, True, timezone.now()),
        "deletes one clip": lambda person: withdrawal.forget_clips(
            person, [person.clips.first().pk], timezone.now()
        ),
    }
    for kind, request in kinds.items():
        found = [erased(next(people_), request) for _ in range(TIMES)]
        yield kind, {what: median(each[what] for each in found) for what in found[0]}


def erased(person: User, request: Callable[[User], Any]) -> dict[str, float]:
    """Rows and index entries read, and kilobytes written to the database's journal and to files."""
    for clip in person.clips.all():
        vault.put(clip.stored_as, clip.key, b"RIFF" + bytes(SOUND))
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")  # the worst case: each page's first change is written as a whole page
    began = time.perf_counter()
    read, journal, files = _read(), _journal(), _written()
    request(person)
    scrub()
    seconds = time.perf_counter() - began
    figures = {"journal": (_journal() - journal) / 1e3, "files": (_written() - files) / 1e3}
    return figures | {"read": _read() - read, "seconds": seconds}


def scrub() -> None:
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), timezone.now)


def _read() -> int:
    """Rows of all tables and entries of all indexes that were read until now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(READ)
        return int(cursor.fetchone()[0])


def _journal() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def _written() -> int:
    """Bytes that this process wrote to files."""
    return int(re.search(r"wchar: (\d+)", Path("/proc/self/io").read_text())[1])
