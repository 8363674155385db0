"""What a volunteer sees of their own work: today's answers, what they led to and, if they want it, a streak.

Nothing here measures speed. Each statement looks a bounded number of times into the index of a person's
answers by time, however many answers there are.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, Sum

from accounts.models import User
from datasets.models import Annotation, Campaign, Release, ReleaseRow, Task
from tagger import durations

from . import active_days, days, queries

STREAK_DAYS = 14  # how far a streak looks back
# Results are looked up for at most this many of a person's answers, and in at most this many releases.
NEWEST_ANSWERS, NEWEST_RELEASES = 10_000, 20


def answers_today(person: User, now: datetime) -> int:
    """How many answers this person gave since midnight."""
    return person.annotations.filter(created_at__gte=days.start_of_day(now)).count()


@dataclass(frozen=True)
class Given:
    """How many answers a person gave to a campaign and today, and the id of the newest that is counted."""

    here: int
    today: int
    newest: int


def given(person: User, campaign: Campaign, now: datetime) -> Given:
    """Read in one statement: no answer that arrives meanwhile is in one of the numbers alone."""
    is_today = Q(created_at__gte=days.start_of_day(now))
    numbers = person.annotations.aggregate(
        here=Count("pk", filter=Q(task__campaign=campaign)),
        today=Count("pk", filter=is_today),
        newest=Max("pk", default=0),
    )
    return Given(**numbers)


def answers_by_campaign(person: User, total: int) -> dict[int, int]:
    """{campaign: number of answers}; empty if their `total` is so large that counting would take long."""
    if total > NEWEST_ANSWERS:
        return {}
    return dict(person.annotations.values_list("task__campaign").annotate(answers=Count("pk")))


@dataclass(frozen=True)
class Streak:
    """Days with an answer: how many of the last 14, and how many in a row up to today or yesterday."""

    days: int
    in_a_row: int


def streak(person: User, now: datetime) -> Streak:
    active = active_days.of_person(person, 1, STREAK_DAYS, now)
    newest = 1 if 1 in active else 2  # today may still get its first answer
    in_a_row = next(run for run in range(STREAK_DAYS + 1) if newest + run not in active)
    return Streak(len(active), in_a_row)


def show_streak(person: User, is_shown: bool) -> None:
    # Not save(): a person whose account is erased in the meantime must stay erased.
    User.objects.filter(pk=person.pk, is_active=True).update(shows_streak=is_shown)


@dataclass(frozen=True)
class CampaignResults:
    """What a person's answers to one campaign led to: how long they listened, how many of their clips are
    settled, how long those are in all, and how many labels each release has from them, newest first."""

    campaign: Campaign
    answers: int
    heard: float  # seconds
    settled: int
    seconds: float
    releases: list[tuple[str, int]]

    @property
    def percent(self) -> int:
        return round(100 * self.settled / self.answers)

    @property
    def minutes(self) -> int:
        return durations.whole_minutes(self.seconds)

    @property
    def hours(self) -> float:
        return durations.hours(self.seconds)


def results(person: User) -> list[CampaignResults]:
    """One for each campaign among the person's newest answers."""
    settled = Q(task__status=Task.Status.SETTLED)
    newest = person.annotations.order_by("-created_at").values("pk")[:NEWEST_ANSWERS]
    found = Annotation.objects.filter(pk__in=newest).values_list("task__campaign")
    counts = found.annotate(
        answers=Count("pk"),
        heard=Sum("task__clip__seconds"),
        settled=Count("pk", filter=settled),
        seconds=Sum("task__clip__seconds", filter=settled, default=0.0),
    )
    by_campaign = {row[0]: row[1:] for row in counts}
    releases = _released_labels(person)
    return [
        _results(campaign, by_campaign[campaign.pk], releases.get(campaign.pk, []))
        for campaign in Campaign.objects.filter(pk__in=by_campaign)
    ]


def seconds_heard(found: list[CampaignResults]) -> float:
    return sum(each.heard for each in found)


def _results(
    campaign: Campaign, counted: tuple[Any, ...], releases: list[tuple[str, int]]
) -> CampaignResults:
    answers, heard, settled, seconds = counted
    return CampaignResults(campaign, answers, heard, settled, seconds, releases)


def _released_labels(person: User) -> dict[int, list[tuple[str, int]]]:
    """{campaign: [(release, how many of its labels this person answered before it was published), …]}"""
    found: dict[int, list[tuple[str, int]]] = {}
    values = [person.pk, NEWEST_ANSWERS, NEWEST_RELEASES]
    for campaign, slug, labels in queries.rows(RELEASED_LABELS, values):
        found.setdefault(campaign, []).append((slug, labels))
    return found


RELEASED_LABELS = f"""
    SELECT task.campaign_id, release.slug, count(*)
    FROM (
        SELECT task_id, created_at FROM {Annotation._meta.db_table}
        WHERE annotator_id = %s ORDER BY created_at DESC LIMIT %s
    ) given
    JOIN {Task._meta.db_table} task ON task.id = given.task_id
    JOIN {ReleaseRow._meta.db_table} pinned ON pinned.task_id = task.id
    JOIN {Release._meta.db_table} release
        ON release.id = pinned.release_id AND release.published_at >= given.created_at
    GROUP BY task.campaign_id, release.id ORDER BY release.published_at DESC, release.id LIMIT %s
"""
