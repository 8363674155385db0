"""Count a campaign: the only writer of CampaignFigures, CampaignDay and LargestContributor.

Reading a large campaign takes a while. No transaction is open meanwhile, so nobody waits for it: each
statement sees the campaign as it is at its moment, and the rows are replaced at the end, in one transaction.
The longer counting takes, the less often it is done.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.timezone import localtime

from accounts.models import User
from datasets.models import Campaign, Label, Task, Withdrawal
from tagger import turns
from tagger.consensus.intervals import wilson
from tagger.models import (
    TRUSTED_CONFIDENCE,
    CampaignDay,
    CampaignFigures,
    LargestContributor,
)
from tagger.settling import track_records

from . import expected, statements

CLOCKS_DIFFER = timedelta(minutes=10)  # at most, those of the site's machines
MOST_CONTRIBUTORS = 10
MOST_TRANSCRIBED_CONTROLS = 2_000  # the newest: transcripts have to be decrypted one by one

Rows = list[dict[str, Any]]
Days = dict[date, CampaignDay]


def count_due(clock: Callable[[], datetime]) -> int:
    """Count each campaign whose turn it is; returns how many."""
    due = turns.due(CampaignFigures, clock, unread=("totals", "tables"))
    return sum(count(each, clock) for each in due)


def count(campaign: Campaign, clock: Callable[[], datetime]) -> bool:
    """Count this campaign, unless another worker does. Returns whether it was counted."""
    now = clock()
    if not turns.claim(CampaignFigures, campaign, now):
        return False
    days, totals, tables, largest = _counted(campaign, now)
    with turns.ending(CampaignFigures, campaign, now, clock) as columns:
        if columns is None:
            return False
        _store_days(campaign, days.values())
        _store_largest(campaign, largest, now)
        columns.update(totals=totals, tables=tables)
    return True


def _counted(
    campaign: Campaign, now: datetime
) -> tuple[Days, dict[str, Any], dict[str, Rows], list[tuple[Any, ...]]]:
    values = {
        "campaign": campaign.pk,
        "now": now,
        "zone": settings.TIME_ZONE,
        "certain": TRUSTED_CONFIDENCE,
        "most": MOST_CONTRIBUTORS,
    }
    clips = statements.clips(values)
    days, answers, volunteers = _days(campaign, values)
    [[kept]], [[repeats]] = (statements.rows(each, values) for each in (statements.KEPT, statements.REPEATED))
    contributors = statements.rows(statements.CONTRIBUTORS, values)
    tables = _tables(campaign, clips, values) | {"contributors": _by_clips(contributors)}
    totals = _by_status(clips["statuses"]) | {
        "answers": answers + kept,
        "kept_answers": kept,
        "second_answers": repeats,
        "volunteers": volunteers,
        "contributors": sum(row["contributors"] for row in tables["contributors"]),
        "settled_by_reviewers": sum(
            number
            for status, by_reviewer, *_, number, _ in clips["votes"]
            if status == "settled" and by_reviewer
        ),
        "controls": _controls(campaign, values),
        "saved": _saved(campaign, tables["votes"]),
    }
    wanted = _wanted(clips["votes"])
    totals |= {"wanted": wanted, "forecast": _forecast(campaign, days, wanted["votes"], now)}
    largest = [row[1:] for row in contributors if row[0] == "person"]
    return days, totals, tables, largest


def _by_status(found: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """Clips and their seconds of each status, and of all."""
    of = _summed(found)
    totals: dict[str, Any] = {}
    for name in (*Task.Status.values, "hidden"):
        totals[name], totals[f"seconds_{name}"] = of.get(name, (0, 0.0))
    totals["clips"] = sum(number for number, _ in of.values())
    totals["seconds_clips"] = sum(seconds for _, seconds in of.values())
    return totals


def _days(campaign: Campaign, values: statements.Values) -> tuple[Days, int, int]:
    """Days on which something happened; how many answers there are, and of how many people."""
    days: Days = {}

    def of(day: date) -> CampaignDay:
        return days.setdefault(day, CampaignDay(campaign=campaign, day=day))

    answers = volunteers = 0
    for day, given, people in statements.rows(statements.ANSWER_DAYS, values):
        if day is None:
            answers, volunteers = given or 0, people
        else:
            of(day).answers, of(day).volunteers = given, people
    for day, number in statements.rows(statements.SETTLED_DAYS, values):
        of(day).settled = number
    for day, number in statements.rows(statements.DISPUTED_DAYS, values):
        of(day).disputed = number
    return days, answers, volunteers


def _tables(
    campaign: Campaign, clips: dict[str, list[tuple[Any, ...]]], values: statements.Values
) -> dict[str, Rows]:
    settled = [row[1:] for row in clips["confidence"] if row[0] == "settled" and row[1] is not None]
    tables = {
        "confidence": _classes(statements.SHARES, settled),
        "lengths": _classes(statements.SECONDS, (row[1:] for row in clips["lengths"]), is_endless=True),
        "speech": _classes(statements.SPEECH, (row[1:] for row in clips["speech"])),
        "sources": [
            {"source": source, "clips": number, "seconds": seconds}
            for source, (number, seconds) in sorted(_summed(row[1:] for row in clips["sources"]).items())
        ],
        "votes": [
            {"votes": votes, "clips": number}
            for votes, (number, _) in sorted(
                _summed(
                    (votes, number, seconds)
                    for status, by_reviewer, votes, _, number, seconds in clips["votes"]
                    if status == "settled" and not by_reviewer
                ).items()
            )
        ],
        "time_to_settle": _classes(
            statements.UNTIL_SETTLED,
            ((*row, 0.0) for row in statements.rows(statements.TIMES_TO_SETTLE, values)),
            is_endless=True,
        ),
    }
    if campaign.asks_for_words:
        return tables
    answers = [row[1:] for row in clips["answers"] if row[0] == "settled"]
    return tables | {
        "answers": [
            {"answer": answer, "clips": number, "seconds": seconds}
            for answer, number, seconds in sorted(answers, key=_place)
        ],
        "confusion": [
            {"settled": settled_as, "given": given, "votes": votes}
            for settled_as, given, votes in sorted(statements.rows(statements.CONFUSION, values), key=_place)
        ],
    }


def _place(row: tuple[Any, ...]) -> int:
    """That of its answer on the page where people answer."""
    return Label.values.index(row[0])


def _summed(found: Iterable[tuple[Any, ...]]) -> dict[Any, tuple[int, float]]:
    """{the first column: clips and seconds}"""
    numbers: Counter[Any] = Counter()
    lengths: Counter[Any] = Counter()
    for key, number, seconds in found:
        numbers[key] += number
        lengths[key] += seconds
    return {key: (numbers[key], lengths[key]) for key in numbers}


def _classes(edges: Sequence[float], found: Iterable[tuple[Any, ...]], is_endless: bool = False) -> Rows:
    """A row for each class, also where nothing lies in it. `is_endless`: one more, above the last edge."""
    ends: list[float | None] = [*edges[1:], *([None] if is_endless else [])]
    summed = _summed(found)
    return [
        {"start": start, "end": end, "clips": summed.get(place, (0, 0.0))[0]}
        for place, (start, end) in enumerate(zip(edges, ends, strict=False))
    ]


def _by_clips(found: Iterable[tuple[Any, ...]]) -> Rows:
    by_class = {row[1]: row[2:] for row in found if row[0] == "class"}
    ends = [*(edge - 1 for edge in statements.CLIPS_EACH[1:]), None]
    return [
        {
            "start": start,
            "end": end,
            "contributors": by_class.get(place, (0, 0))[0],
            "clips": by_class.get(place, (0, 0))[1],
        }
        for place, (start, end) in enumerate(zip(statements.CLIPS_EACH, ends, strict=True))
    ]


def _controls(campaign: Campaign, values: statements.Values) -> dict[str, Any]:
    if campaign.asks_for_words:
        given = track_records.newest_answers_to_controls(campaign)[:MOST_TRANSCRIBED_CONTROLS]
        checked = [track_records.is_right(each) for each in given]
        right, answered = sum(checked), len(checked)
    else:
        found = dict(statements.rows(statements.CONTROLS, values))
        right, answered = found.get(True, 0), sum(found.values())
    low, high = wilson(right, answered)
    return {"answered": answered, "right": right, "low": low, "high": high}


def _saved(campaign: Campaign, votes: Rows) -> dict[str, Any]:
    """What stopping at the wanted confidence spared, of what the most answers for every clip would cost."""
    clips = sum(row["clips"] for row in votes)
    given = sum(row["votes"] * row["clips"] for row in votes)
    spared = sum(max(campaign.max_annotations - row["votes"], 0) * row["clips"] for row in votes)
    return {"clips": clips, "votes": given, "spared": spared, "a_clip": given / clips if clips else None}


def _wanted(found: Iterable[tuple[Any, ...]]) -> dict[str, float]:
    """Votes, and seconds of listening, that the open clips are likely to need."""
    groups = list(found)
    ended: Counter[int] = Counter()
    for status, by_reviewer, votes, _, number, _ in groups:
        if status in (Task.Status.SETTLED, Task.Status.DISPUTED) and not by_reviewer:
            ended[votes] += number
    total = {"clips": 0, "votes": 0.0, "seconds": 0.0}
    for status, _, had, asked, number, seconds in groups:
        if status == Task.Status.OPEN:
            more = expected.votes_wanted(had, asked, ended)
            total["clips"] += number
            total["votes"] += more * number
            total["seconds"] += more * seconds
    return total


def _forecast(campaign: Campaign, days: Days, votes: float, now: datetime) -> dict[str, Any]:
    today = localtime(now).date()
    begun = min((day for day, found in days.items() if found.answers), default=today)
    whole = range(min((today - begun).days, expected.MOST_DAYS), 0, -1)
    answers = [found.answers if (found := days.get(today - timedelta(days=back))) else 0 for back in whole]
    pace = expected.pace(answers)
    ends = expected.forecast(today, votes, pace if campaign.is_open else None)
    return {
        "a_day": pace and pace.mean,
        "a_day_low": pace and pace.low,
        "a_day_high": pace and pace.high,
        **{name: each and each.isoformat() for name, each in vars(ends).items()},
    }


def _store_days(campaign: Campaign, days: Iterable[CampaignDay]) -> None:
    CampaignDay.objects.filter(campaign=campaign).delete()
    CampaignDay.objects.bulk_create(days, batch_size=1_000)


def _store_largest(campaign: Campaign, largest: Sequence[tuple[Any, ...]], now: datetime) -> None:
    """Not who withdrew since the count began, or a little before. Whoever is just doing it is passed over:
    or they wait for this, and then what is stored here is erased."""
    LargestContributor.objects.filter(campaign=campaign).delete()
    people = User.objects.filter(pk__in=[person for person, *_ in largest], is_active=True).order_by("pk")
    locked = list(people.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
    recent = Q(finished_at=None) | Q(requested_at__gte=now - CLOCKS_DIFFER)
    going = set(Withdrawal.objects.filter(recent, person_id__in=locked).values_list("person_id", flat=True))
    LargestContributor.objects.bulk_create(
        LargestContributor(campaign=campaign, contributor_id=person, clips=clips, seconds=seconds)
        for person, _, clips, seconds in largest
        if person in locked and person not in going
    )
