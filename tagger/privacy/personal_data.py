"""Everything stored about one person, as one zip in open formats, written while it is sent.

At most one clip is in memory at a time. The zip has no data of other people: not their answers about the
person's clips, and about other people's clips only the person's own answers, while those clips may be heard.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _

from accounts import receipts
from accounts.factors import authenticators
from accounts.keys import KeyLost
from accounts.models import AuditEvent, ConsentNotice, Purpose, User
from datasets.access import sealing as access_sealing
from datasets.clips import fingerprints, vault
from datasets.imports import sealing as import_sealing
from datasets.imports.refusals import ImportRefused
from datasets.models import (
    AccessRequest,
    Annotation,
    Campaign,
    Clip,
    Import,
    Participation,
    RecallNotice,
    Task,
    Webhook,
    Withdrawal,
)
from datasets.webhooks import sealing
from tagger.desk import guidelines_flags
from tagger.models import PersonWeight, PrivacyCheck, Report
from tagger.settling import person_weights

BATCH_SIZE = 200

Pieces = Iterable[bytes]


def archive(person: User, now: datetime) -> Iterator[bytes]:
    """The zip, piece by piece."""
    sink = _Sink()
    sums: list[str] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, pieces in _files(person, now):
            digest = hashlib.sha256()
            with packed.open(_entry(name, now), "w", force_zip64=True) as entry:
                for piece in pieces:
                    digest.update(piece)
                    entry.write(piece)
                    yield sink.drained()
            sums.append(f"{digest.hexdigest()}  {name}\n")
        packed.writestr(_entry("checksums.sha256", now), "".join(sums))
    yield sink.drained()


class _Sink(io.RawIOBase):
    """Buffers what was written until it is sent. It cannot seek, so zipfile writes in one pass."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def drained(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _entry(name: str, now: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, now.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _files(person: User, now: datetime) -> Iterator[tuple[str, Pieces]]:
    yield "README.txt", [_readme(now).encode()]
    yield "profile.json", [_json(_profile(person))]
    yield "devices.json", [_json([_device(each) for each in person.devices.order_by("pk")])]
    yield "consents.json", [_json([_consent(each) for each in _consents(person)])]
    for receipt in receipts.for_contributor(person):
        yield f"receipts/{receipt.id}.json", [receipts.as_file(receipt.document())]
    for notice in ConsentNotice.objects.filter(consent__contributor=person).distinct().order_by("pk"):
        of = f".{notice.purpose}" if notice.purpose else ""
        yield f"notices/{notice.version}.{notice.language}{of}.txt", [notice.text.encode()]
    yield from _sounds(person)
    yield "clips.jsonl", _lines(_clip(clip) for clip in _own_clips(person))
    yield "annotations.jsonl", _lines(_annotation(each) for each in _annotations(person))
    yield "assignments.jsonl", _lines(_assignments(person))
    yield "reports.jsonl", _lines(_reports(person))
    yield "guidelines-flags.jsonl", _lines(_guidelines_flags(person))
    yield "repeats.jsonl", _lines(_repeats(person))
    yield "objections.jsonl", _lines(_objections(person))
    by_campaign = person.campaign_reliabilities.order_by("campaign__slug").values(*OF_CAMPAIGNS)
    yield "reliability.json", [_json([*person.reliabilities.values(*RELIABILITY), *by_campaign])]
    yield "weights.json", [_json([_weight(each) for each in _weights(person)])]
    figures = person.person_figures.order_by("campaign__slug").values(*FIGURES)
    yield "figures-by-campaign.json", [_json(list(figures))]
    yield "single-votes.json", [_json(_single_votes(person))]
    yield "access-requests.json", [_json([_access_request(each) for each in _access_requests(person)])]
    yield "imports.json", [_json([_import(each) for each in _imports(person)])]
    yield "track-records.json", [_json(list(person.track_records.values("kind", "language")))]
    yield "decisions.jsonl", _lines(_decisions(person))
    yield "checks.jsonl", _lines(_checks(person))
    yield "erasures.json", [_json(list(Withdrawal.objects.filter(person_id=person.pk).values(*ERASURE)))]
    yield "audit.jsonl", _lines(_audit_events(person))
    yield "admin-log.json", [_json(list(LogEntry.objects.filter(user=person).values(*LOGGED)))]


def _audit_events(person: User) -> Iterator[dict[str, Any]]:
    """What they did that is recorded, what admins saw and changed of them, and who heard their clips."""
    own = person.audit_events.order_by("number").values("number", "at", "act", "about", "details")
    for event in own.iterator(chunk_size=BATCH_SIZE):
        event["details"].pop("people", None)  # the numbers of others
        yield event | {"by": "you"}
    others = AuditEvent.objects.exclude(person=person).order_by("number")
    for event in others.filter(about=f"person {person.pk}").values("number", "at", "act", "about", "details"):
        is_weight = event["act"] == AuditEvent.Act.WEIGHED
        yield event | {"by": "a campaign's owner" if is_weight else "an admin"}
    told = others.values("number", "at", "act", "about")  # without who else was seen
    for seen in told.filter(act=AuditEvent.Act.LOOKED, details__people__contains=person.pk).iterator():
        yield seen | {"by": "an admin"}
    for pk in person.clips.filter(withdrawal=None).order_by("pk").values_list("pk", flat=True).iterator():
        checks = PrivacyCheck.objects.filter(clip=pk).values_list("pk", flat=True)
        for heard in told.filter(about__in=[f"clip {pk}", *(f"check {check}" for check in checks)]):
            yield heard | {"by": "a reviewer"}


RELIABILITY = ("crowd__kind", "crowd__language", "score", "skill", "answers", "hurried", "crowd__fitted_at")
OF_CAMPAIGNS = ("campaign__slug", "score", "skill", "answers")
FIGURES = (
    *("campaign__slug", "answers", "days", "last_on", "seconds_each", "compared", "agreed"),
    *("controls", "controls_right", "most_given", "confusion"),
)
ERASURE = ("scope", "cause", "requested_at", "finished_at", "counts")
LOGGED = ("action_time", "action_flag", "object_repr", "change_message")


def _profile(person: User) -> dict[str, Any]:
    return {
        "pseudonym": person.pseudonym,
        "email": person.address or None,
        "roles": person.roles,
        "listeners_pledge": person.pledge or None,
        "joined": person.date_joined,
        "last_login": person.last_login,
        "hours_in_which_device_uploads_wait": person.cooling_off,
        "shows_streak": person.shows_streak,
        "on_leaderboard": person.on_leaderboard,
        "languages": person.languages,
        "daily_goal": person.daily_goal,
        "teams": list(person.memberships.order_by("pk").values("team__name", "is_named")),
        "challenges": list(
            person.challenge_entries.order_by("pk").values("challenge__campaign__slug", "challenge__month")
        ),
        "invited_to": list(
            Participation.objects.filter(person=person)
            .order_by("pk")
            .values_list("campaign__slug", flat=True)
        ),
        "reviews_campaigns": list(person.reviewing.order_by("pk").values("campaign__slug", "since")),
        "saved_views": list(person.saved_views.order_by("pk").values("campaign__slug", "name", "query")),
        "webhooks": [_webhook(each) for each in person.webhooks.select_related("campaign", "maker")],
        "told_of_recalls_in": RecallNotice.objects.filter(person=person)
        .values_list("language", flat=True)
        .first(),
        "letters": list(
            person.letters.order_by("day", "pk").values("release__slug", "kind", "day", "recalled", "sent_at")
        ),
        "acts_on_many_clips": list(
            person.clip_jobs.order_by("pk").values("campaign__slug", "act", "asked_at", "finished_at")
        ),
        "owns_campaigns": list(Campaign.objects.filter(owner=person).values_list("slug", flat=True)),
        "tokens": list(person.tokens.order_by("pk").values("prefix", "scopes", "created", "expires_at")),
        "sessions": list(person.sessions.order_by("began_on").values("began_on", "used_on", "expire_date")),
        "second_factors": authenticators.described(person),
        "is_demo": person.is_demo,
    }


def _webhook(hook: Webhook) -> dict[str, Any]:
    """Without its secret, which was shown once."""
    try:
        address = sealing.unseal(hook).url
    except KeyLost:
        address = ""
    return {
        "campaign": hook.campaign.slug,
        "address": address,
        "events": hook.events,
        "made_at": hook.made_at,
        "off_at": hook.off_at,
    }


def _single_votes(person: User) -> dict[str, Any]:
    """Whether releases may list their answers one by one, and under which id each one does."""
    listed = person.release_annotators.order_by("pk")
    return {
        "since": person.single_votes_since,
        "listed": list(listed.values("release__slug", "public_id").annotate(answers=Count("votes"))),
    }


def _access_requests(person: User) -> Any:
    return person.access_requests.select_related("release", "person__data_key").order_by("asked_at", "pk")


def _access_request(asked: AccessRequest) -> dict[str, Any]:
    """Who decided is not told; what they wrote to the person is."""
    try:
        about = asdict(access_sealing.unseal(asked))
    except KeyLost:
        about = {}
    return {
        "id": asked.pk,
        "release": asked.release.slug,
        "state": asked.state,
        "terms": asked.terms,
        "terms_accepted_at": asked.accepted_at,
        "asked_at": asked.asked_at,
        "decided_at": asked.decided_at,
        "as_a_researcher": asked.is_by_role,
        "waits_for_a_steward": asked.must_wait,
        "language_of_the_answer": asked.language or None,
    } | about


def _device(device: Any) -> dict[str, Any]:
    return {
        "uuid": device.uuid,
        "about": device.about,
        "paired_in": device.paired_in,
        "revoked_on": device.revoked_on,
        "is_suspect": device.is_suspect,
        "uploads_on": device.uploads_on,
        "uploads": device.uploads,
        "log_ins": list(device.logins.values("access_until", "refresh_until", "is_replaced")),
    }


def _consents(person: User) -> Any:
    return person.consents.select_related("notice").order_by("at", "pk")


def _consent(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "event": "withdrawn" if row.withdraws_id else "given",
        "withdraws": row.withdraws_id,
        "material": row.material,
        "purpose": row.purpose,
        "disguised": row.disguised,
        "at": row.at,
        "notice": row.notice and {"version": row.notice.version, "sha256": row.notice.sha256},
        "reference": row.reference,
    }


def _own_clips(person: User) -> Iterator[Clip]:
    clips = person.clips.filter(withdrawal=None).order_by("pk")
    read = clips.select_related("contributor__data_key").prefetch_related(
        "tasks__campaign", "tasks__release_rows__release", "tasks__example"
    )
    return read.iterator(chunk_size=BATCH_SIZE)


def _sounds(person: User) -> Iterator[tuple[str, Pieces]]:
    """Each clip is read again just before it is sent: a download takes long, and clips may be deleted."""
    for pk in list(person.clips.order_by("pk").values_list("pk", flat=True)):
        clip = Clip.objects.select_related("contributor__data_key").filter(pk=pk, withdrawal=None).first()
        try:
            wav = vault.get(clip) if clip else None
        except (FileNotFoundError, KeyLost):
            continue
        if wav is not None:
            yield _name(pk), [wav]


def _name(pk: int) -> str:
    return f"clips/{pk}.wav"


def _clip(clip: Clip) -> dict[str, Any]:
    return {
        "id": clip.pk,
        "file": _name(clip.pk),
        "shared_at": clip.created_at,
        "material": clip.material,
        "language": clip.language,
        "source": clip.source,
        "seconds": clip.seconds,
        "speech_share": clip.speech_share,
        "snr_decibels": clip.snr,
        "clipped_share": clip.clipping,
        "licence": clip.licence,
        "samples_sha256": fingerprints.of(clip),
        "held_until": clip.held_until,
        "hidden_at": clip.hidden_at,
        "silenced": clip.silenced,
        "cleared_at": clip.cleared_at,
        "consent": clip.consent_id,
        "questions": [_question(task) for task in clip.tasks.all()],
    }


def _question(task: Task) -> dict[str, Any]:
    return {
        "campaign": task.campaign.slug,
        "asked": task.campaign.question,
        "said_to_be": task.reference,
        "draft_by_a_machine": task.draft,
        "status": task.status,
        "heard_by": task.annotation_count,
        "answer": task.answer,
        "confidence": task.confidence,
        "support": task.soft,
        "adjudicated": task.adjudicated,
        "settled_at": task.settled_at,
        "example": _example(task),
        "releases": [
            {"release": row.release.slug, "id": row.public_id, "speaker": row.speaker, "split": row.split}
            for row in task.release_rows.all()
        ],
    }


def _example(task: Task) -> dict[str, Any] | None:
    if not hasattr(task, "example"):
        return None
    return {"is_shown": task.example.is_shown, "note": task.example.note}


def _annotations(person: User, **only: Any) -> Iterator[Annotation]:
    may_be_heard = Task.objects.live_for(Purpose.VOLUNTEERS).filter(pk=OuterRef("task"))
    answers = person.annotations.filter(**only).annotate(may_be_heard=Exists(may_be_heard)).order_by("pk")
    related = "objection", "task__campaign", "task__clip__contributor__data_key"
    return answers.select_related(*related).iterator(chunk_size=BATCH_SIZE)


def _annotation(given: Any) -> dict[str, Any]:
    """What a speaker said belongs to them: a transcript by someone else goes too when their clip goes."""
    return {
        "id": given.pk,
        "campaign": given.task.campaign.slug,
        "answer": given.answer if given.may_be_heard else None,
        "several_speakers": given.several_speakers,
        "created_at": given.created_at,
        "changed_at": given.changed_at,
    }


def _repeats(person: User) -> Iterator[dict[str, Any]]:
    """Their answers when a clip that they had answered was lent to them again, while it may be heard."""
    for given in _annotations(person, repeats__gt=0):
        for repeat in given.repeats.order_by("pk"):
            repeat.annotation = given
            answer = repeat.answer if given.may_be_heard else None  # type: ignore[attr-defined]
            yield {
                "annotation": given.pk,
                "answer": answer,
                "several_speakers": repeat.several_speakers,
                "created_at": repeat.created_at,
            }


def _objections(person: User) -> Iterator[dict[str, Any]]:
    """What they still thought, and wrote to reviewers, while the clip may be heard."""
    for given in _annotations(person, objection__isnull=False):
        objection = given.objection
        objection.annotation = given
        is_told = given.may_be_heard  # type: ignore[attr-defined]
        yield {
            "annotation": given.pk,
            "answer": objection.answer if is_told else None,
            "note": objection.note if is_told else None,
            "created_at": objection.created_at,
        }


def _assignments(person: User) -> Iterator[dict[str, Any]]:
    fields = "id", "task__campaign__slug", "role", "state", "saw_draft", "lent_at", "expires_at"
    return person.assignments.order_by("pk").values(*fields).iterator(chunk_size=BATCH_SIZE)


def _reports(person: User) -> Iterator[dict[str, Any]]:
    """What they reported, their notes, and what became of it. The clips belong to their speakers."""
    found = person.reports.select_related("campaign", "clip__contributor__data_key").order_by("at", "pk")
    for report in found.iterator(chunk_size=BATCH_SIZE):
        yield {
            "campaign__slug": report.campaign.slug,
            "reason": report.reason,
            "part_from": report.part_from,
            "part_to": report.part_to,
            "note": _note(report),
            "at": report.at,
            "dismissed_at": report.dismissed_at,
        }


def _note(report: Report) -> str | None:
    """It may quote the clip, so it goes with it."""
    try:
        return None if report.clip.withdrawal_id else str(report.note)
    except KeyLost:
        return None


def _guidelines_flags(person: User) -> Iterator[dict[str, Any]]:
    for flag in person.guidelines_flags.select_related("campaign", "person__data_key").order_by("at", "pk"):
        yield {"campaign": flag.campaign.slug, "note": guidelines_flags.note_of(flag), "at": flag.at}


def _weights(person: User) -> Any:
    return person.person_weights.select_related("campaign", "person__data_key").order_by("pk")


def _weight(weight: PersonWeight) -> dict[str, Any]:
    """How much their answers count where a campaign's owner changed that, and why."""
    note = person_weights.note_of(weight)
    told = {"campaign": weight.campaign.slug, "factor": weight.factor, "note": note, "at": weight.at}
    return told | {"until_you_answer_again": weight.until_return}


def _imports(person: User) -> Any:
    return person.imports.select_related("campaign", "owner__data_key").order_by("pk")


def _import(run: Import) -> dict[str, Any]:
    """A collection that they brought. Its speakers are others; what is known of a clip is in its own data."""
    names = ("state", "is_public", "licence", "size", "counts", "used_at", "ended_at")
    told = {name: getattr(run, name) for name in names} | {"campaign": run.campaign.slug}
    try:
        about = import_sealing.about(import_sealing.key_of(run), run)
    except ImportRefused:  # its key is gone
        about = {}
    return told | {name: about.get(name) for name in ("collection", "reference")}


def _decisions(person: User) -> Iterator[dict[str, Any]]:
    """That they decided, and when. The answer belongs to the task, and so to its speaker."""
    fields = "id", "act", "campaign__slug", "decided_at", "undone_at"
    return person.decisions.order_by("pk").values(*fields).iterator(chunk_size=BATCH_SIZE)


def _checks(person: User) -> Iterator[dict[str, Any]]:
    """What they answered, and not which clip it was about or what became of it."""
    fields = "id", "answer", "found", "parts", "heard", "done_at"
    return person.privacy_checks.order_by("pk").values(*fields).iterator(chunk_size=BATCH_SIZE)


def _json(value: Any) -> bytes:
    return (json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2) + "\n").encode()


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    return ((json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n").encode() for row in rows)


def _readme(now: datetime) -> str:
    words = _(
        """Everything this site holds about you, as of %(at)s UTC.

profile.json        your pseudonym, e-mail address and roles, the version of the listener's pledge
                    you made, whether you see your days and other volunteers see your pseudonym, your
                    teams and whether their members see your pseudonym, the challenges that you take
                    part in, the slugs of campaigns that you own or review for their owners, your tokens
                    (their first letters, what they may do and until when), the kinds of your second
                    factors and the day you set them up, and for each session the day it began, the
                    day it was last used and when it ends
devices.json        the devices you paired, and what they reported about themselves
consents.json       each consent you gave or withdrew
receipts/           the signed receipts for those; anyone can check them on this site
notices/            the notices you agreed to
clips/              your clips, as WAV files of 16 kHz, mono, 16 bit
clips.jsonl         what is known about each clip, one JSON object per line
annotations.jsonl   your answers about other people's clips; an answer about a clip that may no
                    longer be heard is left empty, because it belongs to its speaker. If you leave,
                    they are removed, or stay as no one's: you choose
repeats.jsonl       your answers when you were given a clip a second time
objections.jsonl    what you still thought of clips that were settled otherwise, and your notes
reliability.json    how right your answers are likely to be: by kind and language, as your own page
                    shows, and by campaign
track-records.json  in which kinds and languages your answers can settle clips together with those
                    of new people
audit.jsonl         what you heard, decided or downloaded, and when reviewers heard your clips
assignments.jsonl   the clips lent to you, and what you skipped
reports.jsonl       the clips that you reported, why, your notes, and whether a reviewer dismissed it
guidelines-flags.jsonl  the campaigns whose guidelines you called unclear, and your notes
decisions.jsonl     what you decided as a reviewer, and what of it you undid
checks.jsonl        what you answered when you checked clips before publication
erasures.json       what you asked this site to forget, and when it was done
admin-log.json      what you changed on the administration pages
checksums.sha256    the SHA-256 of each file; check them with: sha256sum -c checksums.sha256

Clips that are being erased are no longer in here. Nothing in here is about anyone else.
"""
    )
    counted = _(
        """
weights.json             in which campaigns your answers count otherwise than usual, and the owner's note
figures-by-campaign.json  the figures about your answers that owners of campaigns see, by campaign
access-requests.json     the releases that you asked to download, the name and purpose that you gave, and
                         what became of it; audit.jsonl says what you downloaded
imports.json             the collections that you brought for your campaigns, and what became of their files
"""
    )
    listed = _(
        """
single-votes.json        whether releases may list your answers one by one, and your random id in those
                         that do
"""
    )
    return words % {"at": f"{now:%Y-%m-%d %H:%M}"} + counted + listed
