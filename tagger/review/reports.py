"""The reports of a clip that waits for a reviewer; and all reports of one person, dismissed in one step."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.ciphers import KeyLost
from accounts.models import User
from datasets import reviewing
from datasets.models import Clip
from tagger.lending import reporting
from tagger.models import Report, ReviewItem

BATCH_SIZE = 50


def of(clip: Clip) -> list[Any]:
    """The open reports of the clip: none, if whoever reported it has left.

    Each has the `record` of whoever reported, and their note in `words`.
    """
    found: list[Any] = list(clip.reports.open().select_related("campaign").order_by("at", "pk"))
    records = reporting.records({report.reporter_id for report in found})
    for report in found:
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


def dismiss_all_of(reporter_id: int, reviewer: User, now: datetime) -> int:
    """Dismiss every open report of one person in the campaigns that this reviewer reviews; returns how many.

    Never one of the reviewer's own clips.

    A clip that somebody else reported too stays hidden.
    """
    waiting = Report.objects.open().filter(reporter=reporter_id, campaign__in=reviewing.reviewed_by(reviewer))
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
        clip.reports.open().filter(reporter=reporter_id).update(dismissed_at=now)
        if not clip.reports.open().exists() and _was_hidden_by_a_known_report(clip):
            Clip.objects.filter(pk=clip.pk).update(hidden_at=None)
            ReviewItem.objects.open().filter(clip=clip, kind=ReviewItem.Kind.REPORT).close(now)
    return len(locked)


def _was_hidden_by_a_known_report(clip: Clip) -> bool:
    """False if the report that hid it was erased with its person: then a reviewer has to hear the clip."""
    return clip.hidden_at is None or clip.reports.filter(at=clip.hidden_at).exists()
