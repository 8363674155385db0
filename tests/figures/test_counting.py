"""Each figure equals what loops over the rows find, written without the statements that count."""

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import count as numbers
from math import ceil, isclose
from statistics import mean, stdev
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from datasets.models import Campaign, Label, Task, Withdrawal
from tagger import tasks as celery_tasks
from tagger.consensus.intervals import wilson
from tagger.figures import counting, statements
from tagger.models import Assignment, CampaignDay, CampaignFigures, LargestContributor, ReviewItem
from tests.conftest import NOW
from tests.figures import made

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


def ticking(at=NOW, took=0):
    """A clock that shows `at`, and `took` seconds later at each further look."""
    looks = numbers()
    return lambda: at + next(looks) * timedelta(seconds=took)


class Loops:
    """The campaign's rows in Python: tasks that count, with their states and answers."""

    def __init__(self, campaign):
        self.campaign = campaign
        found = Task.objects.filter(campaign=campaign).select_related("clip").prefetch_related("annotations")
        self.tasks = [
            task
            for task in found
            if task.clip.withdrawal_id is None
            and (task.clip.held_until is None or task.clip.held_until <= NOW)
        ]

    def with_status(self, *statuses):
        """What reports hid has no other status."""
        return [task for task in self.tasks if self.status(task) in statuses]

    def status(self, task):
        return "hidden" if task.clip.hidden_at else task.status

    @property
    def settled(self):
        return self.with_status("settled")

    @property
    def answers(self):
        return [given for task in self.tasks for given in task.annotations.all()]


def has_kept(task):
    return any(given.annotator_id is None for given in task.annotations.all())


def between(row, value, is_last):
    if row["end"] is None:
        return value >= row["start"]
    return row["start"] <= value < row["end"] or (is_last and value == row["end"])


def in_classes(rows, values, is_share=False):
    return [sum(between(row, value, is_share and row is rows[-1]) for value in values) for row in rows]


def statuses_and_hours(loops, figures):
    for status in ("open", "settled", "disputed", "unusable", "hidden"):
        some = loops.with_status(status)
        assert figures.totals[status] == len(some)
        assert isclose(figures.totals[f"seconds_{status}"], sum(task.clip.seconds for task in some))
    assert figures.totals["clips"] == len(loops.tasks) < Task.objects.count()
    assert isclose(figures.totals["seconds_clips"], sum(task.clip.seconds for task in loops.tasks))
    assert figures.totals["settled_by_reviewers"] == sum(task.adjudicated for task in loops.settled)


def answers_and_people(loops, figures):
    answers = loops.answers
    assert figures.totals["answers"] == len(answers)
    assert figures.totals["kept_answers"] == sum(given.annotator_id is None for given in answers)
    assert figures.totals["volunteers"] == len({given.annotator_id for given in answers} - {None})
    assert figures.totals["second_answers"] == sum(given.repeats.count() for given in answers)


def days(loops, figures):
    expected = defaultdict(lambda: [0, set(), 0, 0])
    for given in loops.answers:
        if given.annotator_id:
            day = expected[given.created_at.astimezone(BERLIN).date()]
            day[0] += 1
            day[1].add(given.annotator_id)
    for task in loops.settled:
        if not has_kept(task):
            expected[task.settled_at.astimezone(BERLIN).date()][2] += 1
    known = {task.pk: task for task in loops.tasks}
    for item in ReviewItem.objects.exclude(reason="second-look"):
        if item.task_id in known and not has_kept(known[item.task_id]):
            expected[item.opened_at.astimezone(BERLIN).date()][3] += 1
    stored = {
        row.day: [row.answers, row.volunteers, row.settled, row.disputed] for row in CampaignDay.objects.all()
    }
    assert stored == {day: [given, len(people), *rest] for day, (given, people, *rest) in expected.items()}


def classes_of_clips(loops, figures):
    tables = figures.tables
    confident = [task.confidence for task in loops.settled if task.confidence is not None]
    found = {name: [row["clips"] for row in tables[name]] for name in ("confidence", "lengths", "speech")}
    assert found == {
        "confidence": in_classes(tables["confidence"], confident, is_share=True),
        "lengths": in_classes(tables["lengths"], [task.clip.seconds for task in loops.tasks]),
        "speech": in_classes(
            tables["speech"], [task.clip.speech_share for task in loops.tasks], is_share=True
        ),
    }
    assert sum(found["lengths"]) == sum(found["speech"]) == len(loops.tasks)
    assert sum(found["confidence"]) == len(confident)
    sources = Counter(task.clip.source for task in loops.tasks)
    assert {row["source"]: row["clips"] for row in tables["sources"]} == sources


def answers_that_clips_are_settled_with_and_those_that_were_given(loops, figures):
    balance = {row["answer"]: row["clips"] for row in figures.tables["answers"]}
    assert balance == Counter(task.plain_answer for task in loops.settled)
    confusion = {(row["settled"], row["given"]): row["votes"] for row in figures.tables["confusion"]}
    assert confusion == Counter(
        (task.plain_answer, given.plain_answer) for task in loops.settled for given in task.annotations.all()
    )
    assert set(Label.values) >= set(balance)


def votes_and_what_stopping_early_spared(loops, figures):
    by_votes = Counter(task.annotation_count for task in loops.settled if not task.adjudicated)
    assert {row["votes"]: row["clips"] for row in figures.tables["votes"]} == by_votes
    clips = sum(by_votes.values())
    votes = sum(by_votes.elements())
    assert figures.totals["saved"] == {
        "clips": clips,
        "votes": votes,
        "spared": loops.campaign.max_annotations * clips - votes,
        "a_clip": votes / clips,
    }


def time_to_settle(loops, figures):
    times = [
        max(
            0.0, (task.settled_at - min(given.created_at for given in task.annotations.all())).total_seconds()
        )
        for task in loops.settled
        if task.annotations.all() and not has_kept(task)
    ]
    rows = figures.tables["time_to_settle"]
    assert [row["clips"] for row in rows] == in_classes(rows, times)
    assert times


def contributors(loops, figures):
    clips = Counter(task.clip.contributor_id for task in loops.tasks)
    assert figures.totals["contributors"] == len(clips)
    assert sum(row["clips"] for row in figures.tables["contributors"]) == len(loops.tasks)
    for row in figures.tables["contributors"]:
        last = row["end"] or len(loops.tasks)
        assert row["contributors"] == sum(row["start"] <= number <= last for number in clips.values())
    going = set(Withdrawal.objects.values_list("person_id", flat=True))
    largest = sorted(clips, key=lambda person: (-clips[person], person))[: counting.MOST_CONTRIBUTORS]
    stored = {row.contributor_id: row.clips for row in LargestContributor.objects.all()}
    assert stored == {person: clips[person] for person in largest if person not in going}


def controls(loops, figures):
    right = []
    for lent in Assignment.objects.filter(role="control", state="done"):
        task = lent.task
        is_certain = task.adjudicated or (task.confidence or 0) >= 0.9
        if task in loops.tasks and is_certain:
            given = task.annotations.get(annotator=lent.annotator_id)
            right.append(given.plain_answer == task.control.plain_answer)
    low, high = wilson(sum(right), len(right))
    assert figures.totals["controls"] == {
        "answered": len(right),
        "right": sum(right),
        "low": low,
        "high": high,
    }


def work_still_wanted(loops, figures):
    ended = [
        task.annotation_count for task in loops.with_status("settled", "disputed") if not task.adjudicated
    ]
    votes = seconds = 0.0
    asked = loops.with_status("open")
    for task in asked:
        longer = [number for number in ended if number > task.annotation_count]
        more = mean(longer) - task.annotation_count if longer else max(task.wanted - task.annotation_count, 1)
        votes += more
        seconds += more * task.clip.seconds
    wanted = figures.totals["wanted"]
    assert wanted["clips"] == len(asked)
    assert isclose(wanted["votes"], votes) and isclose(wanted["seconds"], seconds)


def the_day_on_which_it_is_done(loops, figures):
    today = NOW.astimezone(BERLIN).date()
    by_day = dict(CampaignDay.objects.values_list("day", "answers"))
    last = [by_day.get(today - timedelta(days=back), 0) for back in range(1, 15)]
    reach = 2.160 * stdev(last) / 14**0.5
    found = figures.totals["forecast"]
    assert isclose(found["a_day"], mean(last))
    assert isclose(found["a_day_high"], mean(last) + reach)
    wanted = figures.totals["wanted"]["votes"]
    day, earliest = (today + timedelta(days=ceil(wanted / pace)) for pace in (mean(last), mean(last) + reach))
    assert (found["day"], found["earliest"]) == (day.isoformat(), earliest.isoformat())


CHECKS = (
    statuses_and_hours,
    answers_and_people,
    days,
    classes_of_clips,
    answers_that_clips_are_settled_with_and_those_that_were_given,
    votes_and_what_stopping_early_spared,
    time_to_settle,
    contributors,
    controls,
    work_still_wanted,
    the_day_on_which_it_is_done,
)


@pytest.mark.parametrize("number", [10, 1000, pytest.param(100_000, marks=pytest.mark.in_full)])
def test_every_figure_equals_what_loops_over_the_rows_find(number, juniper):
    made.fill(juniper, number)
    assert counting.count(juniper, ticking())
    loops, figures = Loops(juniper), CampaignFigures.objects.get()
    for check in CHECKS:
        check(loops, figures)


def test_another_campaigns_rows_are_not_counted(juniper):
    made.fill(juniper, 10)
    other = Campaign.objects.create(slug="other", kind="wake-word", wake_word="hey other", language="en")
    assert counting.count(other, ticking())
    empty = CampaignFigures.objects.get()
    assert empty.totals["clips"] == empty.totals["answers"] == empty.totals["volunteers"] == 0
    assert empty.totals["forecast"]["day"] is None
    assert not CampaignDay.objects.exists() and not LargestContributor.objects.exists()


def test_a_count_replaces_the_one_before_it(juniper, add_tasks):
    made.fill(juniper, 10)
    counting.count(juniper, ticking())
    before = CampaignFigures.objects.get().totals["clips"]
    add_tasks(juniper, 1)
    counting.count(juniper, ticking())
    assert CampaignFigures.objects.get().totals["clips"] == before + 1


def test_the_longer_counting_takes_the_less_often_it_is_done(juniper):
    assert counting.count_due(lambda: NOW) == 1
    CampaignFigures.objects.update(took=10)
    assert counting.count_due(lambda: NOW + timedelta(seconds=599)) == 0
    assert counting.count_due(lambda: NOW + timedelta(seconds=600)) == 1


def test_two_workers_do_not_count_one_campaign_at_the_same_time(juniper):
    counting.count(juniper, ticking())
    CampaignFigures.objects.update(claimed_at=NOW)
    assert not counting.count(juniper, ticking(NOW + timedelta(minutes=59)))
    # The other one must have been killed.
    assert counting.count(juniper, ticking(NOW + timedelta(minutes=61)))


def test_the_worker_counts_every_campaign(juniper, sentences):
    assert celery_tasks.count_campaigns() == 2


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_count_to_end(juniper, add_tasks, monkeypatch):
    """No transaction is open while the tables are read, so no lock is held, and no old row is kept for it."""
    add_tasks(juniper, 3)
    read, are_open = statements.rows, []

    def rows(*given):
        are_open.append(connection.in_atomic_block)
        return read(*given)

    monkeypatch.setattr(statements, "rows", rows)
    assert counting.count(juniper, ticking())
    assert are_open and not any(are_open)


def test_counting_needs_the_same_number_of_statements_with_more_clips(juniper, django_assert_num_queries):
    CampaignFigures.objects.create(campaign=juniper)
    for number in (10, 1000):
        made.fill(juniper, number)
        with django_assert_num_queries(STATEMENTS):
            counting.count(juniper, ticking())


STATEMENTS = 22
