"""Erase some clips of a contributor, all of them, or a whole account, with a signed receipt of what went.

A request takes effect in its own transaction: from the next read on, nothing that it covers is served. The
scrub that follows removes files, rows and keys in small steps. Each step may run twice, and a scrub that is
killed continues where it stopped. What remains in old backups is ciphertext, and the keys to it are destroyed
with the next key rotation.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Q

from accounts import audit, consent, journal, keys, outbox, quarters, signing
from accounts.factors import authenticators
from accounts.models import AuditEvent, Consent, DataKey, Device, PersonalSession, ProgramToken, User
from datasets import reviewing, taking_part
from datasets.access import asking as access
from datasets.access import recall_notices
from datasets.access import sealing as access_sealing
from datasets.clips import fingerprints, recording, vault
from datasets.imports import ending as imports
from datasets.imports import sealing
from datasets.models import (
    Annotation,
    Campaign,
    CampaignReviewer,
    Clip,
    LineSplit,
    ReleaseRow,
    SingleVote,
    Task,
    Webhook,
    Withdrawal,
)
from datasets.releases import recalls, taking_back
from datasets.webhooks import keeping as webhooks
from datasets.webhooks import sealing as webhook_sealing
from tagger.desk import guidelines_flags
from tagger.models import (
    LargestContributor,
    Membership,
    Objection,
    PairFigures,
    PersonWeight,
    ReleaseOrder,
)
from tagger.progress import teams
from tagger.settling import person_weights

from . import kept_answers, key_copy

BATCH_SIZE = 100
SETTLED_AFTER = timedelta(hours=1)  # longer than any transaction lasts
BACKUPS_PENDING = (
    "pending: what they hold is ciphertext; its keys are to be destroyed within 24 hours of the end of the"
    " erasure, and this receipt will then say so"
)
BACKUPS_CLOSED = "closed: what they hold is ciphertext, and its keys were destroyed"
INVITATIONS = (taking_part.INVITATIONS, reviewing.INVITATIONS, teams.INVITATIONS)
Scope = Withdrawal.Scope
ASKED = Withdrawal.Cause.ASKED


@dataclass(frozen=True)
class ErasureRequest:
    """An accepted request. Anyone with the token may see its receipt; only a hash of the token is stored."""

    withdrawal: int
    token: str


def forget_clips(
    contributor: User, clips: Collection[int], now: datetime, cause: Withdrawal.Cause = ASKED
) -> ErasureRequest:
    """Erase these clips, ignoring ids that are not this contributor's."""
    with transaction.atomic():
        consent.lock(contributor)
        going = contributor.clips.filter(pk__in=clips, withdrawal=None)
        names = list(going.values_list("stored_as", flat=True))
        request, requested = _request(contributor, Scope.CLIPS, now, clips=names, cause=cause)
        going.update(withdrawal=request)
    return requested


def forget_contributor(contributor: User, now: datetime) -> ErasureRequest:
    """Erase every clip and end every consent; the account stays."""
    with transaction.atomic():
        consent.withdraw(contributor, now)
        request, requested = _request(contributor, Scope.CONTRIBUTOR, now)
        contributor.clips.filter(withdrawal=None).update(withdrawal=request)
    return requested


def forget_account(person: User, keep_answers: bool, now: datetime) -> ErasureRequest:
    """Erase the person: clips, consents, log-ins and name. Answers stay, without the person, or go too."""
    with transaction.atomic():
        consent.withdraw(person, now)
        request, requested = _request(person, Scope.ACCOUNT, now, keep_answers=keep_answers)
        person.clips.filter(withdrawal=None).update(withdrawal=request)
        # Sessions and tokens of an inactive person do not work; the scrub deletes their rows.
        User.objects.filter(pk=person.pk).update(is_active=False, password=make_password(None), roles=[])
    return requested


def scrub(request: Withdrawal, clock: Callable[[], datetime]) -> None:
    """Do everything that remains to be done for one request. May be killed and run again at any point.

    Reads the clock at the end, because the master key of that moment is the one that must be rotated.
    """
    person = User.objects.get(pk=request.person_id)
    while _scrub_clips(request):
        pass
    LargestContributor.objects.filter(contributor=person).delete()  # the next count has what stays
    if request.scope == Scope.ACCOUNT:
        imports.forget(person, clock())
        # Lent tasks go first: after that no answer can come in.
        _return_lent_tasks(request, person)
        _take_out_single_votes(request, person)
        if request.keep_answers:
            unname_answers(request, clock)
        else:
            while _remove_answers(request, person):
                pass
        _scrub_person(request, person, clock())
        outbox.clear()
    else:
        _replace_key(person)
    key_copy.replace(person.pk)  # so that the erased keys are not in the copy either
    finish(request, clock())


def unfinished() -> list[int]:
    return list(Withdrawal.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True))


def receipt(token: str) -> dict[str, Any] | None:
    """The signed receipt for this token; None if there is no such request.

    Until the scrub is finished the receipt says so and is not signed.
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
        "audit": audit.as_dict(request.event) if request.event else request.lost_event,
        "backups": BACKUPS_CLOSED if request.backups_closed_at else BACKUPS_PENDING,
        "backups_closed_at": request.backups_closed_at.isoformat() if request.backups_closed_at else None,
    }
    return signing.sign(document) if request.finished_at else document


def ask_again(entry: journal.Entry) -> int:
    """Make a request of the journal again in a restored database; returns 0 if the backup has it."""
    if Withdrawal.objects.filter(token_sha256=entry["token_sha256"]).exists():
        return 0
    row = Withdrawal.objects.create(**{name: entry[name] for name in _JOURNALED if name in entry})
    theirs = Clip.objects.filter(contributor=row.person_id, withdrawal=None)
    if row.scope == Scope.CLIPS:
        theirs = theirs.filter(stored_as__in=entry["clips"])
    theirs.update(withdrawal=row)
    if row.scope == Scope.ACCOUNT:
        User.objects.filter(pk=row.person_id).update(is_active=False, password=make_password(None), roles=[])
    return 1


def unknown_to_database() -> int:
    """How many erasures the journal has that the database does not: it was restored from an older backup."""
    asked = {entry["token_sha256"] for entry in journal.confirmed() if entry["kind"] == "withdrawal"}
    known = Withdrawal.objects.values_list("token_sha256", flat=True).iterator(chunk_size=10_000)
    return len(asked.difference(known)) if asked else 0


def finished_before(request: Withdrawal, entry: journal.Entry) -> None:
    """Let the receipt say again what it said before the restore, when the erasure was finished."""
    event = entry["event"]
    is_known = AuditEvent.objects.filter(**event).exists()
    Withdrawal.objects.filter(pk=request.pk).update(
        finished_at=entry["finished_at"],
        counts=entry["counts"],
        last_master=entry["last_master"],
        event=event["number"] if is_known else None,
        lost_event=None if is_known else event,
    )


def settle_journal(now: datetime) -> int:
    """Say of old entries that nothing confirmed whether their act was committed; returns how many."""
    unsettled = journal.pending(before=now - SETTLED_AFTER)
    for entry in unsettled:
        (journal.confirm if _was_committed(entry) else journal.void)(entry)
    return len(unsettled)


def _was_committed(entry: journal.Entry) -> bool:
    match entry["kind"]:
        case "withdrawal":
            return Withdrawal.objects.filter(token_sha256=entry["token_sha256"]).exists()
        case "erased":
            done = Withdrawal.objects.exclude(finished_at=None)
            return done.filter(token_sha256=entry["token_sha256"]).exists()
        case "consents":
            return Consent.objects.filter(withdraws__in=entry["ended"]).exists()
        case "device":
            return not Device.objects.filter(uuid=entry["uuid"], revoked_on=None).exists()
        case "token":
            return not ProgramToken.objects.filter(digest=entry["digest"]).exists()
        case "factor":
            return not Authenticator.objects.filter(pk=entry["factor"]).exists()
        case "webhook":
            return not Webhook.objects.filter(pk=entry["webhook"]).exists()
        case "team-left":
            return not Membership.objects.filter(pk=entry["membership"]).exists()
        case "team-unnamed":
            return not Membership.objects.filter(pk=entry["membership"], is_named=True).exists()
        case "invitation":
            return not any(each.works(entry["sha256"]) for each in INVITATIONS)
        case access.ENDED:
            return access.has_ended(entry)
        case recall_notices.ENDED:
            return recall_notices.has_ended(entry)
        case taking_back.ENDED:
            return taking_back.has_ended(entry)
        case reviewing.ENDED:
            return not CampaignReviewer.objects.filter(pk=entry["reviewing"]).exists()
        case "recovery-code":
            return True  # its owner sent the code here, so it is no secret any more
    raise ValueError(f"the journal has an entry of an unknown kind: {entry['kind']}")


def finish(request: Withdrawal, now: datetime) -> None:
    """Happens once: of two workers that finish together, the second finds it finished."""
    with transaction.atomic():
        _lock(request)
        unfinished = Withdrawal.objects.filter(pk=request.pk, finished_at=None)
        if unfinished.exists():
            # The keys that were erased are under this master key or an older one.
            master = int(DataKey.objects.lock_master())
            event = audit.record(audit.Act.ERASED, f"withdrawal {request.pk}", None, now)
            unfinished.update(finished_at=now, event=event, last_master=master)
            done = {"finished_at": now, "event": audit.as_dict(event), "last_master": master}
            journal.append("erased", now, token_sha256=request.token_sha256, **done, counts=_counts(request))


def _request(
    person: User,
    scope: str,
    now: datetime,
    *,
    keep_answers: bool | None = None,
    clips: Collection[str] = (),
    cause: Withdrawal.Cause = ASKED,
) -> tuple[Withdrawal, ErasureRequest]:
    token = secrets.token_urlsafe(32)
    row = Withdrawal.objects.create(
        person_id=person.pk,
        scope=scope,
        cause=cause,
        keep_answers=keep_answers,
        token_sha256=_sha256(token),
        requested_at=now,
    )
    journal.append("withdrawal", now, **_as_entry(row), clips=clips)
    return row, ErasureRequest(row.pk, token)


_JOURNALED = ("person_id", "scope", "cause", "keep_answers", "token_sha256", "requested_at")


def _as_entry(row: Withdrawal) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _JOURNALED}


def _counts(request: Withdrawal) -> dict[str, int]:
    return dict(Withdrawal.objects.values_list("counts", flat=True).get(pk=request.pk))


def _scrub_clips(request: Withdrawal) -> int:
    """Scrub the next batch of clips; returns how many.

    Files go first and rows after them, so that anything unfinished still has its row.
    """
    with transaction.atomic():
        _lock(request)
        vault.establish()  # a file is seen gone only in the vault that had it
        clips = list(Clip.objects.filter(withdrawal=request).order_by("pk")[:BATCH_SIZE])
        doomed = Task.objects.select_for_update().filter(clip__in=clips)
        tasks = list(doomed.values_list("pk", flat=True))
        recalls.recall(ReleaseRow.objects.filter(task__in=tasks))
        for clip in clips:
            vault.destroy(clip.stored_as)
        SingleVote.objects.filter(row__task__in=tasks).delete()
        gone = {
            "release_rows": ReleaseRow.objects.filter(task__in=tasks).delete()[0],
            "annotations": Annotation.objects.filter(task__in=tasks).delete()[0],
            "tasks": len(tasks),
            "clips": len(clips),
            "files": len(clips),
        }
        Task.objects.filter(pk__in=tasks).delete()
        Clip.objects.filter(pk__in=[clip.pk for clip in clips]).delete()
        if not Clip.objects.filter(contributor=request.person_id).exists():
            drawn = LineSplit.objects.filter(contributor=request.person_id)
            gone["line_splits"] = drawn.delete()[0]
        _count(request, gone)
    return len(clips)


def _lock(request: Withdrawal) -> None:
    """Two workers may scrub one request, from the queue and from beat: neither counts the other's work."""
    Withdrawal.objects.select_for_update().get(pk=request.pk)


def _remove_answers(request: Withdrawal, person: User) -> int:
    """Remove the next batch of answers; returns how many. The sweep settles their tasks again."""
    with transaction.atomic():
        _lock(request)
        # Tasks are locked first, as everywhere that a task's counters change.
        batch = list(person.annotations.order_by("pk").values_list("pk", "task")[:BATCH_SIZE])
        tasks = [task for _annotation, task in batch]
        list(Task.objects.select_for_update(no_key=True).filter(pk__in=tasks).order_by("pk"))
        removed = [annotation for annotation, _task in batch]
        objections = Objection.objects.filter(annotation__in=removed).erase()
        person.annotations.filter(pk__in=removed).delete()
        Task.objects.filter(pk__in=tasks).update(
            annotation_count=F("annotation_count") - 1, dirty_since=request.requested_at
        )
        _count(request, {"answers": len(batch), "objections": objections})
    return len(batch)


def unname_answers(request: Withdrawal, clock: Callable[[], datetime]) -> None:
    """Make the answers that stay no one's. May be killed and run again; done when none names the person."""
    person = User.objects.get(pk=request.person_id)
    while not kept_answers.is_done(person):
        for batch in kept_answers.batches(person):
            with transaction.atomic():
                _lock(request)
                _count(request, kept_answers.unname(person, batch, clock()))
    Withdrawal.objects.filter(pk=request.pk).update(answers_unnamed_at=clock())


def _replace_key(person: User) -> None:
    """Give what stays a new data key: with the old one, the erased clips in old backups could be opened."""
    with transaction.atomic():
        consent.lock(person)
        person = User.objects.get(pk=person.pk)
        if not DataKey.objects.filter(person=person, unreadable_since=None).exists():
            return  # the account was erased in the meantime, and its key with it; or its key is lost
        old, new = keys.existing_key(person), keys.replace(person)
        for device in person.devices.all():
            device.reseal(old, new)
        authenticators.reseal(person, old, new)
        consent.reseal_references(person.pk, old, new)
        guidelines_flags.reseal(person, old, new)
        sealing.reseal(person, old, new)
        webhook_sealing.reseal(person, old, new)
        access_sealing.reseal(person, old, new)
        person_weights.reseal(person, old, new)
        last = 0
        while clips := list(person.clips.filter(pk__gt=last).order_by("pk")[:BATCH_SIZE]):
            for clip in clips:
                clip.wrap(keys.unseal(old, bytes(clip.wrapped_key), clip.key_label()), new)
                fingerprints.reseal(clip, old, new)
            Clip.objects.bulk_update(clips, ["wrapped_key", "sealed_samples"])
            last = clips[-1].pk
        recording.renew_marks(person)


def _return_lent_tasks(request: Withdrawal, person: User) -> None:
    """Free the places that the person's leases take in tasks: no sweep could once the assignments are gone.

    An answer that is being handed in holds the task's lock: it is stored before this, or finds nothing lent.
    """
    with transaction.atomic():
        # A repeat takes no place in its task.
        places = person.assignments.filter(state="lent").exclude(role="repeat")
        tasks = Task.objects.select_for_update(no_key=True).filter(assignments__in=places).order_by("pk")
        locked = [task.pk for task in tasks]
        # Read again under the locks: some may have been answered in the meantime.
        freed = list(places.filter(task__in=locked).values_list("task", flat=True))
        Task.objects.filter(pk__in=freed).update(lent_count=F("lent_count") - 1)
        # Only their assignments record that they saw a draft, and no second person may be shown one.
        with_seen_draft = Task.objects.filter(assignments__annotator=person, assignments__saw_draft=True)
        with_seen_draft.update(plain_draft="", sealed_draft=b"")
        # Reports need an assignment, or an active person: none can come in once these are gone. A clip stays
        # hidden until a reviewer has heard it.
        gone = {"assignments": person.assignments.all().delete()[0]}
        _count(request, gone | {"reports": person.reports.all().delete()[0]})


def _take_out_single_votes(request: Withdrawal, person: User) -> None:
    """From all releases, also if their answers stay: a list would say which of them are one person's."""
    with transaction.atomic():
        taken = taking_back.forget(person)
        _count(request, {"single_votes": taken})


def _scrub_person(request: Withdrawal, person: User, now: datetime) -> None:
    """Leave only a row that identifies no one: consent events refer to it."""
    about = Q(content_type=ContentType.objects.get_for_model(User), object_id=str(person.pk))
    with transaction.atomic():
        consent.lock(person)
        gone = {
            "sessions": PersonalSession.objects.filter(person=person).delete()[0],
            "tokens": ProgramToken.objects.filter(user=person).delete()[0],
            "factors": authenticators.forget(person),
            "devices": person.devices.all().delete()[0],
            "decisions": kept_answers.unname_decisions(person),
            "checks": kept_answers.unname_checks(person),
            "audit_names": audit.forget(person),
            "guidelines_flags": person.guidelines_flags.all().delete()[0],
            "admin_log": LogEntry.objects.filter(Q(user=person) | about).delete()[0],
        }
        gone["saved_views"] = person.saved_views.all().delete()[0]
        gone["webhooks"] = webhooks.end_all_of(person)
        gone["access_requests"] = access.leave_all(person)
        gone["clip_jobs"] = person.clip_jobs.all().delete()[0]
        PersonWeight.objects.filter(decided_by=person).update(decided_by=None)
        gone["memberships"] = teams.leave_all(person)
        gone["participations"] = taking_part.leave_all(person)
        gone["reviewing"] = reviewing.leave_all(person)
        gone["challenges"] = person.challenge_entries.all().delete()[0]
        Campaign.objects.filter(owner=person).update(owner=None)
        ReleaseOrder.objects.filter(asked_by=person).update(asked_by=None)
        person.date_joined = quarters.start(now)
        person.forget()
        # A refit may be storing figures about them: `forget` waited for it.
        gone["reliabilities"] = person.reliabilities.all().delete()[0]
        gone["reliabilities"] += person.campaign_reliabilities.all().delete()[0]
        gone["person_weights"] = person.person_weights.all().delete()[0]
        pairs = PairFigures.objects.filter(Q(one=person) | Q(other=person))
        gone["person_figures"] = person.person_figures.all().delete()[0] + pairs.delete()[0]
        gone["track_records"] = person.track_records.all().delete()[0]
        _count(request, gone)


def _count(request: Withdrawal, gone: dict[str, int]) -> None:
    counts = Withdrawal.objects.select_for_update().get(pk=request.pk).counts
    total = {what: counts.get(what, 0) + gone.get(what, 0) for what in {*counts, *gone}}
    Withdrawal.objects.filter(pk=request.pk).update(counts=total)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
