"""How much one account may borrow, skip, report and object to within a short time.

A person never reaches these limits; a program that carries off a campaign, or hides it, does within seconds.
An account is new for its first minutes and its first answers. New accounts have small quotas over ten
minutes, others large ones over an hour. A clip that was lent and not answered counts as much as several
answered ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings

from accounts import prepared
from accounts.models import User
from accounts.refusals import Refusal
from datasets.models import Annotation
from tagger.models import Assignment, Objection

NEWCOMERS_WINDOW, WINDOW = timedelta(minutes=10), timedelta(hours=1)
DAY = timedelta(days=1)
UNANSWERED = 5  # answered clips for which one counts that was lent and not answered


class QuotaRefusal(StrEnum):
    LENT = "lending-quota"  # all with `seconds`, after which it goes on
    SKIPPED = "skipping-quota"
    REPORTED = "reporting-quota"
    OBJECTED = "objecting-quota"


class QuotaReached(Refusal):
    """Its code is a QuotaRefusal. Nothing was changed; what is lent stays lent."""

    @property
    def seconds(self) -> int:
        return int(self.parameters["seconds"])


@dataclass(frozen=True)
class Quota:
    """At most `most` within `window`; None for no limit."""

    window: timedelta
    most: int | None


@dataclass(frozen=True)
class Lendable:
    """How many leases an annotator has, and how many more clips their quota allows; None for no limit."""

    leases: int
    more: int | None


def lendable(annotator: User, now: datetime) -> Lendable:
    """Counted in one statement, because it is counted whenever tasks are lent."""
    most = max(settings.LENDING_QUOTA, settings.NEWCOMERS_LENDING_QUOTA)
    person, new_since = annotator.pk, now - NEWCOMERS_WINDOW
    values = (person, now, person, settings.NEWCOMER_ANSWERS, new_since, person, now - WINDOW, most + 1)
    [row] = prepared.rows("count_lent", COUNT_LENT, values)
    leases, answers, points_of_newcomer, points = map(int, row)
    quota = _lending(_is_new(annotator, answers, now))
    if quota.most is None:
        return Lendable(leases, None)
    used = points_of_newcomer if quota.window == NEWCOMERS_WINDOW else points
    return Lendable(leases, max(0, quota.most - used) // UNANSWERED)


# Leases, answers as far as they matter, and points of the lending quota in both windows.
COUNT_LENT = f"""
    SELECT held.number, given.number, recent.points_of_newcomer, recent.points
    FROM (
        SELECT count(*) AS number FROM {Assignment._meta.db_table}
        WHERE annotator_id = %s AND state = 'lent' AND expires_at > %s::timestamptz
    ) held, (
        SELECT count(*) AS number FROM (
            SELECT FROM {Annotation._meta.db_table} WHERE annotator_id = %s LIMIT %s
        ) answer
    ) given, (
        SELECT COALESCE(sum(points) FILTER (WHERE lent_at > %s::timestamptz), 0) AS points_of_newcomer,
            COALESCE(sum(points), 0) AS points
        FROM (
            SELECT lent_at, CASE state WHEN 'done' THEN 1 ELSE {UNANSWERED} END AS points
            FROM {Assignment._meta.db_table} WHERE annotator_id = %s AND lent_at > %s::timestamptz
            ORDER BY lent_at DESC LIMIT %s
        ) lent
    ) recent
"""


def lending_refused(annotator: User, now: datetime) -> QuotaReached:
    """The refusal for someone who may not borrow one more clip now."""
    quota = _lending(is_new(annotator, now))
    lent = annotator.assignments.filter(lent_at__gt=now - quota.window).order_by("-lent_at")
    rows = lent.values_list("lent_at", "state")[: (quota.most or 0) + 1]
    costs = [(at, 1 if state == Assignment.State.DONE else UNANSWERED) for at, state in rows]
    return _refused(QuotaRefusal.LENT, quota, costs, UNANSWERED, now)


def check_skip(annotator: User, now: datetime) -> None:
    """Raises QuotaReached. Lock the annotator's row first, so that their requests run in turn."""
    quota = _quota(is_new(annotator, now), settings.NEWCOMERS_SKIPPING_QUOTA, settings.SKIPPING_QUOTA)
    skipped = annotator.assignments.filter(state=Assignment.State.SKIPPED, lent_at__gt=now - quota.window)
    _check(QuotaRefusal.SKIPPED, quota, skipped.order_by("-lent_at").values_list("lent_at", flat=True), now)


def check_report(reporter: User, now: datetime) -> None:
    """Raises QuotaReached. Lock the reporter's row first, so that their requests run in turn."""
    quota = _quota(is_new(reporter, now), settings.NEWCOMERS_REPORTING_QUOTA, settings.REPORTING_QUOTA)
    reported = reporter.reports.filter(at__gt=now - quota.window)
    _check(QuotaRefusal.REPORTED, quota, reported.order_by("-at").values_list("at", flat=True), now)


def check_objection(annotator: User, now: datetime) -> None:
    """Raises QuotaReached. Lock the annotator's row first, so that their requests run in turn."""
    quota = Quota(DAY, settings.OBJECTIONS_A_DAY or None)
    own = Objection.objects.of(annotator).filter(created_at__gt=now - DAY)
    _check(
        QuotaRefusal.OBJECTED, quota, own.order_by("-created_at").values_list("created_at", flat=True), now
    )


def is_new(person: User, now: datetime) -> bool:
    """Whether the account is in its first minutes, or has hardly answered anything."""
    few = person.annotations.values("pk")[: settings.NEWCOMER_ANSWERS]
    return _is_new(person, len(few), now)


def _is_new(person: User, answers: int, now: datetime) -> bool:
    is_young = now - person.date_joined < timedelta(minutes=settings.NEWCOMER_MINUTES)
    return is_young or answers < settings.NEWCOMER_ANSWERS


def _lending(is_newcomer: bool) -> Quota:
    return _quota(is_newcomer, settings.NEWCOMERS_LENDING_QUOTA, settings.LENDING_QUOTA)


def _quota(is_newcomer: bool, of_newcomers: int, of_others: int) -> Quota:
    if is_newcomer:
        return Quota(NEWCOMERS_WINDOW, of_newcomers or None)
    return Quota(WINDOW, of_others or None)


def _check(code: QuotaRefusal, quota: Quota, newest_first: Iterable[datetime], now: datetime) -> None:
    if quota.most is None:
        return
    costs = [(at, 1) for at in newest_first]
    if len(costs) >= quota.most:
        raise _refused(code, quota, costs, 1, now)


def _refused(
    code: QuotaRefusal, quota: Quota, newest_first: list[tuple[datetime, int]], wanted: int, now: datetime
) -> QuotaReached:
    """It goes on when what is then left in the window leaves room for one more, which costs `wanted`."""
    room, until = quota.most or 0, now
    for at, cost in newest_first:
        room -= cost
        if room < wanted:
            until = at + quota.window
            break
    return QuotaReached(code, seconds=max(1, -int(-(until - now).total_seconds() // 1)))
