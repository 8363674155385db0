"""Makes any number of people with a few clips each, for `bench.rotating`.

Two people and one clip, with its consent, task and answer, are made by the site's own acts; the other rows
are copies of theirs. What a key rotation moves is real, and encrypted in Python: about 0.1 ms a person.
"""

import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, transaction
from tqdm import tqdm

from accounts import ciphers, consent, keyring, names, notices
from accounts.models import Consent, DataKey, Material, Purpose, User
from bench import copies
from datasets import campaigns
from datasets.clips import fingerprints, intake
from datasets.models import MAX_SPREAD, Annotation, Campaign, Clip, Task
from tests.support import sounds

SLUG = "rotation"
CLIPS_EACH = 3

TABLES = """
CREATE TEMP TABLE new_person (id bigint, username text, sealed_name bytea, wrapped bytea) ON COMMIT DROP;
CREATE TEMP TABLE new_clip (contributor_id bigint, samples_hash text, sealed_samples bytea, stored_as text,
    wrapped_key bytea) ON COMMIT DROP;
"""


def grow(number: int, now: datetime) -> None:
    """Add people until this many have clips, which others have answered."""
    if not Campaign.objects.exists():
        _begin(now)
    if (missing := number - Clip.objects.values("contributor").distinct().count()) > 0:
        with transaction.atomic(), connection.cursor() as cursor:
            # No foreign key checks, as all keys are known.
            cursor.execute("SET LOCAL session_replication_role = replica")
            start = User.objects.latest("pk").pk + 1
            with copies.without_indexes(User, DataKey, Consent, Clip, Task, Annotation):
                _copy(missing, start)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _begin(now: datetime) -> None:
    campaign = campaigns.create(
        slug=SLUG, kind=Campaign.Kind.WAKE_WORD, language="en", wake_word="hey rotation"
    )
    owner, listener = (User.objects.create_user(name, password=None) for name in ("owner", "listener"))
    consent.give(owner, Material.WAKE_WORD, [Purpose.VOLUNTEERS], now, notice=notices.current("en"))
    sound = intake.read(sounds.in_format("wav", sounds.babble(seed=1)))
    intake.add(sound, campaign, intake.Origin(owner, Clip.Source.BROWSER, "en"), now)
    Task.objects.update(annotation_count=1)
    Annotation.objects.create(task=Task.objects.get(), annotator=listener, plain_answer="yes", created_at=now)


def _copy(number: int, start: int) -> None:
    """People with the numbers from `start` on."""
    clip, last_task = Clip.objects.earliest("pk"), Task.objects.latest("pk").pk
    master = DataKey.objects.lock_master()
    data_keys = [secrets.token_bytes(ciphers.KEY) for _ in range(number)]
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        cursor.copy_expert("COPY new_person FROM STDIN", copies.Lines(_people(start, data_keys, master)))
        cursor.copy_expert("COPY new_clip FROM STDIN", copies.Lines(_clips(start, data_keys, master)))
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('accounts_user', 'id'), max(id)) FROM new_person"
        )
        cursor.execute("ANALYZE new_person, new_clip")
    own = {each: f"made.{each}" for each in ("id", "username", "sealed_name")}
    copies.insert(User, clip.contributor_id, own, "new_person made")
    own = {"person_id": "made.id", "wrapped": "made.wrapped", "master": f"'{master}'", "generation": "1"}
    copies.insert(DataKey, DataKey.objects.earliest("pk").pk, own, "new_person made")
    copies.insert(Consent, clip.consent_id, {"contributor_id": "made.id"}, "new_person made")
    own = {each: f"made.{each}" for each in ("samples_hash", "sealed_samples", "stored_as", "wrapped_key")}
    own |= {"contributor_id": "made.contributor_id", "hashed_under": str(int(master))}
    given = "(SELECT new_clip.*, id AS given FROM new_clip JOIN accounts_consent USING (contributor_id)) made"
    copies.insert(Clip, clip.pk, own | {"consent_id": "made.given"}, given)
    _answered(start, number, clip, last_task)


def _answered(start: int, number: int, first: Clip, last: int) -> None:
    """A task for each new clip, with one answer by one of the new people."""
    [task] = first.tasks.all()
    spread = f"(random() * {MAX_SPREAD})::integer"  # as the column's default
    new = f"(SELECT id FROM datasets_clip WHERE contributor_id >= {start}) made"
    copies.insert(Task, task.pk, {"clip_id": "made.id", "spread": spread}, new)
    [answer] = task.annotations.all()
    own = {"task_id": "made.id", "annotator_id": f"{start} + made.id * 7919 % {number}"}
    copies.insert(Annotation, answer.pk, own, f"(SELECT id FROM datasets_task WHERE id > {last}) made")


def _people(start: int, data_keys: list[bytes], master: str) -> Iterator[str]:
    """Lines for COPY: number, hash, sealed name, wrapped data key."""
    wrap, look_up = AESGCM(keyring.read(master)), _hashing(master)
    for pk, key in enumerate(tqdm(data_keys, desc="people", disable=None, mininterval=1), start):
        name = f"person {pk}"
        sealed = ciphers.seal(key, name.encode(), f"name of {pk}")
        nonce = secrets.token_bytes(ciphers.NONCE)
        wrapped = nonce + wrap.encrypt(nonce, key, DataKey.label(pk).encode())
        yield _line(pk, look_up(names.looked_up(name)), sealed, wrapped)


def _clips(start: int, data_keys: list[bytes], master: str) -> Iterator[str]:
    """Lines for COPY: owner, hash, sealed fingerprint, file, wrapped key."""
    look_up = _hashing(master)
    for pk, key in enumerate(tqdm(data_keys, desc="their clips", disable=None, mininterval=1), start):
        for _ in range(CLIPS_EACH):
            fingerprint, file = secrets.token_hex(32), secrets.token_hex(16)
            stored_as = f"{file[:2]}/{file[2:4]}/{file}"
            sealed = ciphers.seal(key, fingerprint.encode(), fingerprints.label(stored_as))
            wrapped = ciphers.seal(key, secrets.token_bytes(ciphers.KEY), Clip.key_label_of(stored_as))
            yield _line(pk, look_up(f"samples {fingerprint}"), sealed, stored_as, wrapped)


def _hashing(master: str):
    """As `keyring.hash_under`, without reading the master key for each hash; compared with it once."""
    secret = hmac.digest(keyring.read(master), b"look-up", "sha256")

    def look_up(text: str) -> str:
        return hmac.digest(secret, text.encode(), "sha256").hex()

    if look_up("bench") != keyring.hash_under(master, "bench"):
        raise AssertionError("keyring.hash_under makes other hashes than these")
    return look_up


def _line(*values: int | str | bytes) -> str:
    return "\t".join(f"\\\\x{each.hex()}" if isinstance(each, bytes) else str(each) for each in values) + "\n"
