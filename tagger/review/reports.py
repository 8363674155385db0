"""Reported clips, and a reviewer's decision that a report was wrong.

Clips that are hidden wait for a reviewer, and so do clips that a first report did not hide yet.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts import audit
from accounts.ciphers import KeyLost
from accounts.models import Purpose, User
from datasets.models import Clip
from tagger.lending import reporting
from tagger.models import Report

BATCH_SIZE = 50


def open_for(reviewer: User) -> QuerySet[Clip]:
    """Clips that reports have hidden, oldest first; never the reviewer's own.

    Each has `open_reports`: none, if whoever reported it has left.
    """
    hidden = Clip.objects.hidden_for(Purpose.VOLUNTEERS).exclude(contributor=reviewer)
    return _with_reports(hidden).order_by("hidden_at", "id")


def not_hidden_for(reviewer: User) -> QuerySet[Clip]:
    """Clips with an open report that volunteers hear until a second person reports them, oldest first."""
    reported = Exists(Report.objects.filter(clip=OuterRef("pk"), dismissed_at=None))
    live = Clip.objects.live_for(Purpose.VOLUNTEERS).exclude(contributor=reviewer).filter(reported)
    return _with_reports(live).order_by("id")


def judged_by(reviewer: User) -> QuerySet[Clip]:
    """The clips of both lists, for the one that a reviewer hears or dismisses."""
    either = Q(pk__in=open_for(reviewer).values("pk")) | Q(pk__in=not_hidden_for(reviewer).values("pk"))
    return Clip.objects.filter(either).order_by("id")


def with_records(clips: Iterable[Clip]) -> list[Clip]:
    """The clips; their `open_reports` have the `record` of whoever reported, and their note in `words`."""
    found: list[Any] = list(clips)
    records = reporting.records({report.reporter_id for clip in found for report in clip.open_reports})
    for clip in found:
        for report in clip.open_reports:
            report.record = records.get(report.reporter_id)
            report.words = _note(report, clip)
    return found


def _note(report: Report, clip: Clip) -> str:
    """Empty if the speaker's key was destroyed while this request ran."""
    report.clip = clip
    try:
        return str(report.note)
    except KeyLost:
        return ""


def _with_reports(clips: QuerySet[Clip]) -> QuerySet[Clip]:
    waiting = Report.objects.filter(dismissed_at=None).select_related("campaign").order_by("at", "pk")
    return clips.select_related("contributor__data_key").prefetch_related(
        Prefetch("reports", waiting, to_attr="open_reports")
    )


@transaction.atomic
def dismiss(clip: Clip, reviewer: User, now: datetime) -> None:
    """Dismiss all reports of the clip and show it again: the reviewer found nothing wrong with it."""
    locked = Clip.objects.select_for_update(no_key=True).get(pk=clip.pk)
    audit.record(audit.Act.DISMISSED, f"clip {clip.pk}", reviewer, now)
    locked.reports.filter(dismissed_at=None).update(dismissed_at=now)
    Clip.objects.filter(pk=clip.pk).update(hidden_at=None)


def dismiss_all_of(reporter_id: int, reviewer: User, now: datetime) -> int:
    """Dismiss every open report of one person; returns how many. Never one of the reviewer's own clips.

    A clip that somebody else reported too stays hidden.
    """
    waiting = Report.objects.filter(reporter=reporter_id, dismissed_at=None)
    clips = waiting.exclude(clip__contributor=reviewer).order_by("clip").values_list("clip", flat=True)
    dismissed = 0
    while batch := list(clips[:BATCH_SIZE]):
        dismissed += _dismiss_some(reporter_id, batch, reviewer, now)
    return dismissed


@transaction.atomic
def _dismiss_some(reporter_id: int, clips: list[int], reviewer: User, now: datetime) -> int:
    # In one order, as another reviewer may do the same for another person at this moment.
    locked = list(Clip.objects.select_for_update(no_key=True).filter(pk__in=clips).order_by("pk"))
    for clip in locked:
        audit.record(audit.Act.DISMISSED, f"clip {clip.pk}", reviewer, now)
        clip.reports.filter(reporter=reporter_id, dismissed_at=None).update(dismissed_at=now)
        if not clip.reports.filter(dismissed_at=None).exists() and _was_hidden_by_a_known_report(clip):
            Clip.objects.filter(pk=clip.pk).update(hidden_at=None)
    return len(locked)


def _was_hidden_by_a_known_report(clip: Clip) -> bool:
    """False if the report that hid it was erased with its person: then a reviewer has to hear the clip."""
    return clip.hidden_at is None or clip.reports.filter(at=clip.hidden_at).exists()
