"""What a volunteer sees of their own work: today's answers, what they led to and, if they want it, a streak.

Nothing here measures speed. Each statement looks a bounded number of times into the index of a person's
answers by time, however many answers there are.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum

from accounts.models import User
from datasets.models import Annotation, Campaign, Release, ReleaseRow, Task

from . import active_days, days, queries

STREAK_DAYS = 14  # how far a streak looks back
# Results are looked up for at most this many of a person's answers, and in at most this many releases.
NEWEST_ANSWERS, NEWEST_RELEASES = 10_000, 20


def answers_today(person: User, now: datetime) -> int:
    """How many answers this person gave since midnight."""
    return person.annotations.filter(created_at__gte=days.start_of_day(now)).count()


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
    """What a person's answers to one campaign led to: how many of their clips are settled, how long those
    are in all, and which releases contain some of them, newest first."""

    campaign: Campaign
    answers: int
    settled: int
    seconds: float
    releases: list[str]

    @property
    def percent(self) -> int:
        return round(100 * self.settled / self.answers)

    @property
    def minutes(self) -> int:
        return round(self.seconds / 60)

    @property
    def hours(self) -> float:
        return self.seconds / 3600


def results(person: User) -> list[CampaignResults]:
    """One for each campaign among the person's newest answers."""
    settled = Q(task__status=Task.Status.SETTLED)
    newest = person.annotations.order_by("-created_at").values("pk")[:NEWEST_ANSWERS]
    found = Annotation.objects.filter(pk__in=newest).values_list("task__campaign")
    counts = found.annotate(
        answers=Count("pk"),
        settled=Count("pk", filter=settled),
        seconds=Sum("task__clip__seconds", filter=settled, default=0.0),
    )
    by_campaign = {row[0]: row[1:] for row in counts}
    releases = _releases_with_clips_of(person, by_campaign)
    return [
        _results(campaign, by_campaign[campaign.pk], releases.get(campaign.pk, []))
        for campaign in Campaign.objects.filter(pk__in=by_campaign)
    ]


def _results(campaign: Campaign, counted: tuple[Any, ...], releases: list[str]) -> CampaignResults:
    answers, settled, seconds = counted
    return CampaignResults(campaign, answers, settled, seconds, releases)


def _releases_with_clips_of(person: User, campaigns: Collection[int]) -> dict[int, list[str]]:
    """{campaign: slugs} of the newest releases that contain a clip which this person answered."""
    found: dict[int, list[str]] = {}
    values = [list(campaigns), NEWEST_RELEASES, person.pk, NEWEST_ANSWERS]
    for campaign, slug in queries.rows(RELEASES_WITH_CLIPS_OF, values):
        found.setdefault(campaign, []).append(slug)
    return found


# For each release, it goes back through what the person answered before the release was published, and stops
# at the first clip that the release contains.
RELEASES_WITH_CLIPS_OF = f"""
    SELECT newest.campaign_id, newest.slug
    FROM (
        SELECT part.campaign_id, release.id, release.slug, release.published_at
        FROM {Release._meta.db_table} release
        JOIN {Release.campaigns.through._meta.db_table} part ON part.release_id = release.id
        WHERE part.campaign_id = ANY(%s::bigint[]) ORDER BY release.published_at DESC LIMIT %s
    ) newest
    CROSS JOIN LATERAL (
        SELECT FROM (
            SELECT task_id, created_at FROM {Annotation._meta.db_table}
            WHERE annotator_id = %s AND created_at <= newest.published_at ORDER BY created_at DESC LIMIT %s
        ) given
        JOIN {Task._meta.db_table} task ON task.id = given.task_id AND task.campaign_id = newest.campaign_id
        JOIN {ReleaseRow._meta.db_table} pinned ON pinned.release_id = newest.id AND pinned.task_id = task.id
        ORDER BY given.created_at DESC LIMIT 1
    ) one_of_theirs
    ORDER BY newest.published_at DESC
"""
