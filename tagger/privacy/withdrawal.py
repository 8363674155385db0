"""Forget some clips of a contributor, all of them, or the whole account; a signed receipt says what went.

A request takes effect in its own transaction: from the next read on nothing of it is served. The scrub
that follows removes files, rows and keys in small steps, each of which may be done twice; killed anywhere,
it goes on where it was. What old backups still hold is ciphertext whose keys end with the next key
rotation.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Q
from knox.models import AuthToken

from accounts import audit, ciphers, consent, keys, outbox, quarters, signing
from accounts.models import DataKey, PersonalSession, User
from datasets.clips import recording, vault
from datasets.models import Annotation, Clip, Recall, ReleaseRow, Task, Withdrawal

from . import key_copy

BATCH_SIZE = 100
Scope = Withdrawal.Scope


@dataclass(frozen=True)
class Requested:
    """A request that was taken. Whoever has the token may see its receipt; only a hash of it is stored."""

    withdrawal: int
    token: str


def forget_clips(contributor: User, clips: Collection[int], now: datetime) -> Requested:
    """Single clips of this contributor, passing over ids that are not theirs."""
    with transaction.atomic():
        consent.lock(contributor)
        request, requested = _request(contributor, Scope.CLIPS, now)
        contributor.clips.filter(pk__in=clips, withdrawal=None).update(withdrawal=request)
    return requested


def forget_contributor(contributor: User, now: datetime) -> Requested:
    """Every clip, and every consent; the account stays."""
    with transaction.atomic():
        consent.withdraw(contributor, now)
        request, requested = _request(contributor, Scope.CONTRIBUTOR, now)
        contributor.clips.filter(withdrawal=None).update(withdrawal=request)
    return requested


def forget_account(person: User, keep_answers: bool, now: datetime) -> Requested:
    """The person: clips, consents, log-ins, name. Answers stay, without the person, or go as well."""
    with transaction.atomic():
        consent.withdraw(person, now)
        request, requested = _request(person, Scope.ACCOUNT, now, keep_answers=keep_answers)
        person.clips.filter(withdrawal=None).update(withdrawal=request)
        # An inactive person's sessions and tokens open nothing; their rows go with the scrub.
        User.objects.filter(pk=person.pk).update(is_active=False, password=make_password(None), roles=[])
    return requested


def scrub(request: Withdrawal, clock: Callable[[], datetime]) -> None:
    """Do all that is left to do for one request. May be killed and run again at any point.

    The clock is read when all is done: the master key to be rotated is the one of that moment.
    """
    person = User.objects.get(pk=request.person_id)
    while _scrub_some(request):
        pass
    if request.scope == Scope.ACCOUNT:
        # What is lent goes first: then no answer can come any more.
        _give_back(request, person)
        if not request.keep_answers:
            while _remove_some_answers(request, person):
                pass
        _scrub_person(request, person, clock())
        outbox.clear()
    else:
        _renew_key(request, person)
    key_copy.write()  # the newest-only copy of the key table must not hold it either
    _finish(request, clock())


def unfinished() -> list[int]:
    return list(Withdrawal.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True))


def since_the_newest_master() -> bool:
    """Whether anything was erased that the newest master key may still wrap in some backup."""
    made = ciphers.made_at(ciphers.current_master())
    return Withdrawal.objects.filter(finished_at__gte=made).exists()


def receipt(token: str) -> dict[str, Any] | None:
    """The signed receipt for whoever holds the token; None when there is no such request.

    Until the scrub is through it says so, and bears no signature.
    """
    request = Withdrawal.objects.select_related("event").filter(token_sha256=_sha256(token)).first()
    if request is None:
        return None
    document: dict[str, Any] = {
        "schema": "tagger erasure receipt 1",
        "controller": {"site": settings.SITE_URL, "contact": settings.CONTACT},
        "scope": request.scope,
        "requested_at": request.requested_at.isoformat(),
        "finished_at": request.finished_at.isoformat() if request.finished_at else None,
        "erased": request.counts,
        "audit": audit.as_dict(request.event) if request.event else None,
        "backups": "what they hold is ciphertext; its keys end within 24 hours of the end of the erasure",
    }
    return signing.sign(document) if request.finished_at else document


def _finish(request: Withdrawal, now: datetime) -> None:
    """Once: of two workers that end together the second finds it finished."""
    with transaction.atomic():
        _take_turns(request)
        unfinished = Withdrawal.objects.filter(pk=request.pk, finished_at=None)
        if unfinished.exists():
            event = audit.record(audit.Act.ERASED, f"withdrawal {request.pk}", None, now)
            unfinished.update(finished_at=now, event=event)


def _request(
    person: User, scope: str, now: datetime, *, keep_answers: bool | None = None
) -> tuple[Withdrawal, Requested]:
    token = secrets.token_urlsafe(32)
    made = Withdrawal.objects.create(
        person_id=person.pk,
        scope=scope,
        keep_answers=keep_answers,
        token_sha256=_sha256(token),
        requested_at=now,
    )
    return made, Requested(made.pk, token)


def _scrub_some(request: Withdrawal) -> int:
    """The next clips: first their files, then their rows, so that a row is left for what is not done yet."""
    with transaction.atomic():
        _take_turns(request)
        clips = list(Clip.objects.filter(withdrawal=request).order_by("pk")[:BATCH_SIZE])
        for clip in clips:
            vault.destroy(clip.stored_as)
        doomed = Task.objects.select_for_update().filter(clip__in=clips)
        tasks = list(doomed.values_list("pk", flat=True))
        _recall(ReleaseRow.objects.filter(task__in=tasks))
        gone = {
            "release_rows": ReleaseRow.objects.filter(task__in=tasks).delete()[0],
            "annotations": Annotation.objects.filter(task__in=tasks).delete()[0],
            "tasks": len(tasks),
            "clips": len(clips),
            "files": len(clips),
        }
        Task.objects.filter(pk__in=tasks).delete()
        Clip.objects.filter(pk__in=[clip.pk for clip in clips]).delete()
        _count(request, gone)
    return len(clips)


def _take_turns(request: Withdrawal) -> None:
    """Two workers may be at one request, queue's and clock's: none counts what the other removed."""
    Withdrawal.objects.select_for_update().get(pk=request.pk)


def _recall(rows: Any) -> None:
    """Whoever downloaded them learns from the release's feed which to delete; the ids mean nothing else."""
    Recall.objects.bulk_create(
        [Recall(release_id=row.release_id, public_id=row.public_id) for row in rows], ignore_conflicts=True
    )


def _remove_some_answers(request: Withdrawal, person: User) -> int:
    """The next answers; what they settled is counted again by the sweep."""
    with transaction.atomic():
        _take_turns(request)
        # The tasks first, as everybody does who changes a task's counters.
        some = list(person.annotations.order_by("pk").values_list("pk", "task")[:BATCH_SIZE])
        tasks = [task for _annotation, task in some]
        list(Task.objects.select_for_update(no_key=True).filter(pk__in=tasks).order_by("pk"))
        person.annotations.filter(pk__in=[annotation for annotation, _task in some]).delete()
        Task.objects.filter(pk__in=tasks).update(
            annotation_count=F("annotation_count") - 1, dirty_since=request.requested_at
        )
        _count(request, {"answers": len(some)})
    return len(some)


def _renew_key(request: Withdrawal, person: User) -> None:
    """A new data key for what stays: the old one, that old backups still hold, opens what is gone."""
    with transaction.atomic():
        consent.lock(person)
        person = User.objects.get(pk=person.pk)
        if not DataKey.objects.filter(person=person).exists():
            return  # the account went in the meantime, and its key with it
        old, new = keys.existing_key(person), keys.replace(person)
        for device in person.devices.all():
            device.reseal(old, new)
        consent.reseal_references(person, old, new)
        newest = 0
        while clips := list(person.clips.filter(pk__gt=newest).order_by("pk")[:BATCH_SIZE]):
            for clip in clips:
                clip.wrap(keys.unseal(old, bytes(clip.wrapped_key), clip.key_label()), new)
            Clip.objects.bulk_update(clips, ["wrapped_key"])
            newest = clips[-1].pk
        recording.renew_marks(person)


def _give_back(request: Withdrawal, person: User) -> None:
    """The places that they held go to others: once their assignments are gone nobody would take them back.

    An answer under way has the task's lock: it is stored before this goes on, or finds nothing lent.
    """
    with transaction.atomic():
        # A repeat, which asks somebody once more, takes no place from anybody.
        places = person.assignments.filter(state="lent").exclude(role="repeat")
        tasks = Task.objects.select_for_update(no_key=True).filter(assignments__in=places).order_by("pk")
        locked = [task.pk for task in tasks]
        # Asked again under the locks: some may have been answered meanwhile.
        freed = list(places.filter(task__in=locked).values_list("task", flat=True))
        Task.objects.filter(pk__in=freed).update(lent_count=F("lent_count") - 1)
        # That they were shown a draft stands in their assignments alone, and nobody else may be shown it.
        seen = Task.objects.filter(assignments__annotator=person, assignments__saw_draft=True)
        seen.update(plain_draft="", sealed_draft=b"")
        _count(request, {"assignments": person.assignments.all().delete()[0]})


def _scrub_person(request: Withdrawal, person: User, now: datetime) -> None:
    """What is left is a row that nothing leads to: the consent events hang on it, and kept answers."""
    about = Q(content_type=ContentType.objects.get_for_model(User), object_id=str(person.pk))
    with transaction.atomic():
        consent.lock(person)
        gone = {
            "sessions": PersonalSession.objects.filter(person=person).delete()[0],
            "tokens": AuthToken.objects.filter(user=person).delete()[0],
            "devices": person.devices.all().delete()[0],
            "reliabilities": person.reliabilities.all().delete()[0],
            "audit_names": audit.forget(person),
            "admin_log": LogEntry.objects.filter(Q(user=person) | about).delete()[0],
        }
        person.date_joined = quarters.start(now)
        person.forget()
        _count(request, gone)


def _count(request: Withdrawal, gone: dict[str, int]) -> None:
    counts = Withdrawal.objects.select_for_update().get(pk=request.pk).counts
    total = {what: counts.get(what, 0) + gone.get(what, 0) for what in {*counts, *gone}}
    Withdrawal.objects.filter(pk=request.pk).update(counts=total)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
