"""What ties one volunteer to the work: today's answers, what they led to, and, if wanted, streak and list.

Nothing here counts speed. Each statement looks a bounded number of times into the index of somebody's
answers by time, however many answers there are.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.db.models import Count, Q, Sum

from accounts.keys import KeyLost
from accounts.models import Role, User
from datasets.models import Annotation, Campaign, Release, ReleaseRow, Task

from . import days

A_SET = 10  # answers, as static/js/desk/set-of-ten.js has it
STREAK = 14  # days that a streak looks back
LISTED_FOR = 28  # days that the list of volunteers looks back
MOST_LISTED = 50
# Of so many of one person's answers, and in so many releases, it is looked up what became of them.
NEWEST_ANSWERS, NEWEST_RELEASES = 10_000, 20


def today(person: User, now: datetime) -> int:
    """How many votes they gave since midnight."""
    return person.annotations.filter(created_at__gte=days.start(now)).count()


def by_campaign(person: User, answers: int) -> dict[int, int]:
    """{campaign: how many of their `answers` it has}; empty for who gave so many that counting takes long."""
    if answers > NEWEST_ANSWERS:
        return {}
    return dict(person.annotations.values_list("task__campaign").annotate(answers=Count("pk")))


@dataclass(frozen=True)
class Streak:
    """Days with an answer: of the last fourteen, and without a gap up to today or yesterday."""

    days: int
    in_a_row: int


def streak(person: User, now: datetime) -> Streak:
    back = {number for _person, number in _days_with(1, STREAK, now, "person.id = %s", [person.pk])}
    newest = 1 if 1 in back else 2  # today is not over
    in_a_row = next(run for run in range(STREAK + 1) if newest + run not in back)
    return Streak(len(back), in_a_row)


def show_streak(person: User, is_shown: bool) -> None:
    # By a statement of its own: who is being forgotten meanwhile stays forgotten.
    User.objects.filter(pk=person.pk, is_active=True).update(shows_streak=is_shown)


@dataclass(frozen=True)
class Listed:
    """A volunteer who wants to be named, and their days with a set or more in the last four weeks."""

    pk: int
    pseudonym: str
    days: int


def list_person(person: User, is_listed: bool) -> None:
    """Put them on the list of volunteers or take them off it, from the next request on."""
    User.objects.filter(pk=person.pk, is_active=True).update(on_leaderboard=is_listed)


def listed(now: datetime) -> list[Listed]:
    """Those who want to be named: by days, equals by their names.

    At most fifty. Where equals stand at the end of it, a lot decides, drawn anew each day.
    """
    where = "person.on_leaderboard AND person.is_active AND person.roles @> ARRAY[%s]"
    statement, values = _statement(A_SET, LISTED_FOR, now, where, [Role.ANNOTATOR])
    best = _rows(BEST.format(found=statement), [*values, str(days.start(now).date()), MOST_LISTED])
    people = User.objects.select_related("data_key").in_bulk([pk for pk, _days in best])
    rows = [Listed(pk, name, number) for pk, number in best if (name := _name(people.get(pk)))]
    return sorted(rows, key=lambda row: (-row.days, row.pseudonym.casefold(), row.pseudonym))


BEST = """
    SELECT id, count(*) FROM ({found}) found GROUP BY id ORDER BY count(*) DESC, md5(id || %s) LIMIT %s
"""


def days_of(person: User, now: datetime) -> int:
    """Theirs alone, as the list counts them."""
    return len(_days_with(A_SET, LISTED_FOR, now, "person.id = %s", [person.pk]))


def _name(person: User | None) -> str:
    try:
        return person.pseudonym if person else ""
    except (KeyLost, ObjectDoesNotExist):  # whoever leaves at this moment
        return ""


# For each person and day one look whether there is an answer after so many others.
DAYS_WITH = f"""
    SELECT person.id, day.number
    FROM {User._meta.db_table} person
    CROSS JOIN unnest(%s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY AS day (start, stop, number)
    CROSS JOIN LATERAL (
        SELECT FROM {Annotation._meta.db_table} given
        WHERE given.annotator_id = person.id AND given.created_at >= day.start AND given.created_at < day.stop
        OFFSET %s LIMIT 1
    ) enough
    WHERE {{where}}
"""


def _days_with(
    least: int, number: int, now: datetime, where: str, values: Sequence[Any]
) -> list[tuple[int, int]]:
    """[(person, day)]: who gave at least so many answers on which of the last days; 1 is today."""
    return _rows(*_statement(least, number, now, where, values))


def _statement(
    least: int, number: int, now: datetime, where: str, values: Sequence[Any]
) -> tuple[str, list[Any]]:
    starts, stops = zip(*days.last(number, now), strict=True)
    return DAYS_WITH.format(where=where), [list(starts), list(stops), least - 1, *values]


@dataclass(frozen=True)
class LedTo:
    """What somebody's answers to one campaign came to: how many of their clips are settled, how long those
    are, and which releases hold some of them, newest first."""

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


def led_to(person: User) -> list[LedTo]:
    """For each campaign among their newest answers."""
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
        _led_to(campaign, by_campaign[campaign.pk], releases.get(campaign.pk, []))
        for campaign in Campaign.objects.filter(pk__in=by_campaign)
    ]


def _led_to(campaign: Campaign, counted: tuple[Any, ...], releases: list[str]) -> LedTo:
    answers, settled, seconds = counted
    return LedTo(campaign, answers, settled, seconds, releases)


def _releases_with_clips_of(person: User, campaigns: Collection[int]) -> dict[int, list[str]]:
    """{campaign: slugs} of the newest releases that hold a clip which this person answered."""
    found: dict[int, list[str]] = {}
    values = [list(campaigns), NEWEST_RELEASES, person.pk, NEWEST_ANSWERS]
    for campaign, slug in _rows(HOLDS_SOME, values):
        found.setdefault(campaign, []).append(slug)
    return found


# It looks through what a person answered before the release was made, only until it finds one of its clips.
HOLDS_SOME = f"""
    SELECT newest.campaign_id, newest.slug
    FROM (
        SELECT held.campaign_id, release.id, release.slug, release.published_at
        FROM {Release._meta.db_table} release
        JOIN {Release.campaigns.through._meta.db_table} held ON held.release_id = release.id
        WHERE held.campaign_id = ANY(%s::bigint[]) ORDER BY release.published_at DESC LIMIT %s
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


def _rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
