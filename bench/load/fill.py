"""Makes a campaign with any number of tasks, and its people; rows are copied inside the database.

Contributors, consents, data keys and the first clip and task are made by the site's own acts. The other
rows are copies of that clip and that task, so that new columns need no change here. Each clip has a real
key, which is encrypted in Python, about 4 µs a clip.
"""

import io
import secrets
import wave
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection, transaction
from tqdm import tqdm

from accounts import ciphers, consent, keys
from accounts.models import Consent, Material, ProgramToken, Purpose, User
from bench import copies
from datasets import campaigns
from datasets.clips import vault
from datasets.models import MAX_SPREAD, Annotation, Campaign, Clip, Label, Task
from tagger.lending import assignments, controls
from tagger.models import Assignment
from tagger.settling import settlement
from tagger.welcome import pledge

SLUG = "load"
MOST_CONTRIBUTORS = 1_000
AUDIBLE = 100  # clips that have a sound in the vault: those that are lent first
SETTLED = 60  # tasks, so that there are controls, as on a site that has run for a while
SECONDS = 2.0
BATCH_SIZE = 10_000
BACKEND = "django.contrib.auth.backends.ModelBackend"  # the bare views', because only they use sessions


def fill(tasks: int, users: int, now: datetime) -> dict[str, Any]:
    """Makes the tasks and the people who answer them. Each part of the load test has its own people:
    {"volunteers": [{"pk", "token", "cookie"}, …], …}."""
    kind = Campaign.Kind.WAKE_WORD
    campaign = campaigns.create(
        slug=SLUG, kind=kind, language="en", wake_word="hey load", needs_track_record=False
    )
    basis = _contributors(max(1, min(MOST_CONTRIBUTORS, tasks // 10)), now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL session_replication_role = replica"
        )  # no foreign key checks, as all keys are known
        _clips(tasks, basis, now)
        _tasks(campaign)
    _sounds()
    _settle_some(campaign, min(SETTLED, tasks // 10), now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return _people(users)


def answer_many(person: int, number: int, now: datetime) -> int:
    """Make this person the first who answered this many tasks, a month ago; returns how many those are.

    These tasks need one more answer and come first for everyone, which is the worst case for lending to this
    person.
    """
    untouched = Task.objects.filter(status="open", annotation_count=0, lent_count=0)
    chosen = untouched.order_by("-pk").values_list("id", flat=True)[:number]
    then = now - timedelta(days=30)
    if not chosen:
        return 0
    common: dict[str, Any] = {"task_id": chosen[0], "annotator_id": person}
    with transaction.atomic(), connection.cursor() as cursor:
        select, values = chosen.query.sql_with_params()
        cursor.execute(f"CREATE TEMP TABLE answered ON COMMIT DROP AS {select}", values)
        note = Annotation.objects.create(**common, plain_answer="yes", created_at=then)
        lease = Assignment.objects.create(
            **common, state=Assignment.State.DONE, lent_at=then, expires_at=then + settings.LEASE
        )
        for model, row in ((Annotation, note), (Assignment, lease)):
            copies.insert(
                model, row.pk, {"task_id": "made.id"}, f"answered made WHERE made.id <> {row.task_id}"
            )
        cursor.execute(
            "UPDATE datasets_task SET annotation_count = annotation_count + 1, priority = -1 FROM answered"
            " WHERE datasets_task.id = answered.id"
        )
        done = cursor.rowcount
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return done


@transaction.atomic  # waits for the disk once instead of thousands of times
def _contributors(number: int, now: datetime) -> list[Consent]:
    """The consent of each person that their clips are based on."""
    basis = []
    for n in tqdm(range(number), desc="contributors", disable=None):
        person = User.objects.create_user(f"contributor {n}")
        purposes = [Purpose.VOLUNTEERS, Purpose.RESEARCHERS]
        basis.append(consent.give(person, Material.WAKE_WORD, purposes, now, reference="load test")[0])
    return basis


def _clips(number: int, basis: list[Consent], now: datetime) -> None:
    first = Clip(
        **_part(basis[0]),
        material=Material.WAKE_WORD,
        language="en",
        source=Clip.Source.IMPORT,
        seconds=SECONDS,
        speech_share=0.9,
        snr=20,
        clipping=0,  # it has no sound to measure
        samples_hash=f"{0:064x}",
        stored_as=_name(0),
        created_at=now,
    )
    first.wrap(secrets.token_bytes(ciphers.KEY), keys.existing_key(basis[0].contributor))
    first.save()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE new_clip (contributor_id bigint, consent_id bigint, samples_hash text,"
            " stored_as text, wrapped_key bytea) ON COMMIT DROP"
        )
        cursor.copy_expert("COPY new_clip FROM STDIN", copies.Lines(_wrapped(number, basis)))
    own = ("contributor_id", "consent_id", "samples_hash", "stored_as", "wrapped_key")
    copies.insert(Clip, first.pk, {column: f"made.{column}" for column in own}, "new_clip made")


def _part(given: Consent) -> dict[str, Any]:
    return {"contributor": given.contributor, "consent": given}


def _name(number: int) -> str:
    """In ascending order, which fills an index fastest; on a site the names are random."""
    name = f"{number:032x}"
    return f"{name[:2]}/{name[2:4]}/{name}"


def _wrapped(number: int, basis: list[Consent]) -> Iterator[str]:
    """Lines for COPY: the contributor, the file name, and the clip's key under the contributor's key."""
    seals = [AESGCM(keys.existing_key(given.contributor)) for given in basis]
    heads = [f"{given.contributor_id}\t{given.pk}" for given in basis]
    size = ciphers.NONCE + ciphers.KEY
    dice = b""
    for n in tqdm(range(1, number), desc="clips", disable=None, mininterval=1):
        at = (n - 1) % BATCH_SIZE * size
        if not at:
            dice = secrets.token_bytes(BATCH_SIZE * size)
        nonce, key = dice[at : at + ciphers.NONCE], dice[at + ciphers.NONCE : at + size]
        owner, name = n % len(basis), _name(n)
        sealed = seals[owner].encrypt(nonce, key, f"key of {name}".encode())
        yield f"{heads[owner]}\t{n:064x}\t{name}\t\\\\x{nonce.hex()}{sealed.hex()}\n"


def _tasks(campaign: Campaign) -> None:
    first = Task.objects.create(
        clip=Clip.objects.earliest("pk"), campaign=campaign, wanted=campaign.min_annotations
    )
    rest = f"datasets_clip made WHERE made.id <> {first.clip_id} ORDER BY made.id"
    random_spread = f"(random() * {MAX_SPREAD})::integer"  # as the column's default
    copies.insert(Task, first.pk, {"clip_id": "made.id", "spread": random_spread}, rest)


def _sounds() -> None:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(int(SECONDS * 2 * 16_000)))
    for clip in Clip.objects.select_related("contributor__data_key").order_by("pk")[:AUDIBLE]:
        vault.put(clip.stored_as, clip.key, sound.getvalue())


def _settle_some(campaign: Campaign, number: int, now: datetime) -> None:
    """By two people who agree, over all labels in turn. The site then chooses controls from these tasks."""
    for name in ("first founder", "second founder"):
        person = User.objects.create_user(name)
        for _ in range(0, number, assignments.MAX_LEASES // 10):
            for lent in assignments.lend(person, campaign, assignments.MAX_LEASES // 10, now):
                assignments.hand_in(person, lent.pk, Label.values[lent.task_id % len(Label)], now)
                settlement.settle(lent.task_id, now)
    controls.rotate(campaign, now)


@transaction.atomic
def _people(users: int) -> dict[str, list[dict[str, Any]]]:
    numbers = {"volunteers": users, "raw": users, "bare": users, "newcomer": 1, "veteran": 1}
    return {part: [_person(f"{part} {n}") for n in range(number)] for part, number in numbers.items()}


def _person(name: str) -> dict[str, Any]:
    person = User.objects.create_user(name, pledge=pledge.VERSION)
    _stored, token = ProgramToken.objects.create(person)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return {"pk": person.pk, "token": token, "cookie": session.session_key}
