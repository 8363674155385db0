"""Reports of clips: when they hide a clip from everyone, and whose reports hide nothing alone.

What may harm someone hides the clip at once, with the first report. A clip that is only useless is hidden
when a second person says so too. Reviewers dismiss reports that were wrong. A dismissed report never hides
its clip again. Somebody most of whose reports were dismissed needs a second person for every reason.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, OuterRef, Subquery

from accounts.models import User
from datasets.models import Clip, Task
from tagger.models import PrivacyCheck, Report, ReviewItem

from . import quotas

Reason = Report.Reason
Part = tuple[float, float]  # start and end, in seconds

HIDES_AT_ONCE: frozenset[str] = frozenset({Reason.PRIVATE, Reason.OTHER_PERSON, Reason.OFFENSIVE})
# What privacy reviewers listen for: whoever reports it heard what they may have missed.
NEEDS_NEW_CHECKS: frozenset[str] = frozenset({Reason.PRIVATE, Reason.OTHER_PERSON})
ENOUGH = 2  # reports of different people, whatever their reasons


@dataclass(frozen=True)
class Record:
    """How many clips somebody reported, and how many of these reports were dismissed."""

    reported: int
    dismissed: int


@transaction.atomic
def store(reporter: User, task: Task, reason: str, part: Part | None, now: datetime, note: str = "") -> None:
    """Store the report of the task's clip and, if the reports of it suffice, hide it from everyone.

    A person has one report of each clip: a second one adds to it, but never to one that was dismissed.
    Raises quotas.QuotaReached.
    """
    # Reports under two campaigns lock different tasks, so the clip is locked too.
    clip = Clip.objects.select_for_update(no_key=True).get(pk=task.clip_id)
    report = Report.objects.filter(clip=clip, reporter=reporter).first()
    if report is None:
        quotas.check_report(reporter, now)
        report = Report(clip=clip, campaign_id=task.campaign_id, reporter=reporter, reason=reason, at=now)
    elif report.dismissed_at is not None:
        return
    elif report.upheld_at is not None:  # the clip came back since, and they report it again
        report.upheld_at, report.reason, report.at = None, reason, now
    elif reason in HIDES_AT_ONCE and report.reason not in HIDES_AT_ONCE:
        report.reason, report.at = reason, now
    if note:
        report.clip, report.campaign = clip, task.campaign  # the clip as it is now, with its key
        report.note = note
    if part:
        report.part_from, report.part_to = part
    report.save()
    ReviewItem.objects.open_report(clip, report, now)
    if reason in NEEDS_NEW_CHECKS:
        PrivacyCheck.objects.void(clip, now)
    if clip.hidden_at is None and _suffice(list(clip.reports.open())):
        Clip.objects.filter(pk=clip.pk).update(hidden_at=now)


def _suffice(reports: list[Report]) -> bool:
    """Whether these open reports of one clip, each of another person, hide it."""
    doubted_people = doubted({report.reporter_id for report in reports})
    trusted = [report for report in reports if report.reporter_id not in doubted_people]
    return any(each.reason in HIDES_AT_ONCE for each in trusted) or (len(reports) >= ENOUGH and bool(trusted))


def doubted(people: Collection[int]) -> set[int]:
    """Those of these people most of whose reports were dismissed.

    Only reports from before their last dismissal count: reviewers could judge those, and new ones would
    dilute the share.
    """
    if not settings.DOUBTED_AFTER:
        return set()
    own = Report.objects.filter(reporter=OuterRef("reporter")).values("reporter")
    last = Subquery(own.annotate(last=Max("dismissed_at")).values("last"))
    judged = (
        Report.objects.filter(reporter__in=people)
        .annotate(last=last)
        .filter(at__lte=F("last"))
        .values("reporter")
        .annotate(judged=Count("pk"), dismissed=Count("dismissed_at"))
    )
    return {
        row["reporter"]
        for row in judged
        if row["dismissed"] >= settings.DOUBTED_AFTER and 2 * row["dismissed"] > row["judged"]
    }


def records(people: Collection[int]) -> dict[int, Record]:
    """Of those of these people who reported something."""
    counted = Report.objects.filter(reporter__in=people).values("reporter")
    rows = counted.annotate(reported=Count("pk"), dismissed=Count("dismissed_at"))
    return {row["reporter"]: Record(row["reported"], row["dismissed"]) for row in rows}
