"""When reports hide a clip from everyone, and whose reports do not."""

import pytest

from datasets.models import Clip
from tagger.desk import examples
from tagger.lending import assignments, reporting
from tagger.models import Report
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import settle
from tests.support.reviewing import dismiss

pytestmark = pytest.mark.django_db


def say(person, task, reason, now=NOW):
    """Report a task's clip as somebody who hears it as an example, which needs no lease."""
    assignments.report_example(person, task, reason, now)


def is_hidden(task):
    return Clip.objects.get(pk=task.clip_id).hidden_at is not None


@pytest.fixture
def doubted(volunteers, rita, juniper, add_tasks):
    """A volunteer three of whose four reports were dismissed."""
    person = volunteers[-1]
    tasks = add_tasks(juniper, 4)
    for task in tasks:
        say(person, task, "private")
    for task in tasks[:3]:
        dismiss(task.clip, rita, NOW)
    return person


@pytest.mark.parametrize("reason", ["private", "other-person", "offensive"])
def test_what_may_harm_someone_is_hidden_by_the_first_report(bea, juniper, add_tasks, reason):
    [task] = add_tasks(juniper, 1)
    say(bea, task, reason)
    assert is_hidden(task)


@mutant(
    "one person who cannot hear a clip does not take it from everyone",
    "tagger/lending/reporting.py",
    kept_by="frozenset({Reason.PRIVATE, Reason.OTHER_PERSON, Reason.OFFENSIVE})",
    broken="frozenset(Reason)",
)
@pytest.mark.parametrize("second", Report.Reason.values)
@pytest.mark.parametrize("first", ["language", "audio"])
def test_what_is_only_useless_is_hidden_when_a_second_person_says_so(
    bea, carl, juniper, add_tasks, first, second
):
    [task] = add_tasks(juniper, 1)
    say(bea, task, first)
    say(bea, task, first)
    assert not is_hidden(task)
    say(carl, task, second)
    assert is_hidden(task)


def test_whoever_reported_a_clip_as_useless_can_still_say_that_it_is_private(bea, juniper, add_tasks):
    [task] = add_tasks(juniper, 1)
    say(bea, task, "audio")
    say(bea, task, "private")
    assert is_hidden(task)
    assert Report.objects.get().reason == "private"


def test_the_first_report_takes_the_clip_from_whoever_made_it(bea, carl, juniper, add_tasks):
    add_tasks(juniper, 1)
    [lent] = assignments.lend(bea, juniper, 1, NOW)
    assignments.report(bea, lent.pk, "audio", NOW)
    assert assignments.lend(bea, juniper, 1, NOW) == []
    assert len(assignments.lend(carl, juniper, 1, NOW)) == 1


@mutant(
    "a report that was dismissed never hides that clip again",
    "tagger/lending/reporting.py",
    kept_by="    elif report.dismissed_at is not None:\n        return\n",
    broken="    elif report.dismissed_at is not None:\n        report.dismissed_at = None\n",
)
def test_a_report_that_was_dismissed_never_hides_that_clip_again(bea, carl, rita, juniper, add_tasks):
    [task] = add_tasks(juniper, 1)
    say(bea, task, "private")
    dismiss(task.clip, rita, NOW)
    assert not is_hidden(task)
    for reason in Report.Reason.values:
        say(bea, task, reason)
    say(carl, task, "audio")  # Bea's dismissed report is not the first of two
    assert not is_hidden(task)
    say(carl, task, "private")
    assert is_hidden(task)


@mutant(
    "somebody most of whose reports were dismissed hides nothing alone",
    "tagger/lending/reporting.py",
    kept_by='row["dismissed"] >= settings.DOUBTED_AFTER and 2',
    broken="False and 2",
)
@pytest.mark.parametrize("reason", Report.Reason.values)
def test_somebody_most_of_whose_reports_were_dismissed_needs_a_second_person(
    bea, doubted, juniper, add_tasks, reason
):
    [task] = add_tasks(juniper, 1)
    say(doubted, task, reason)
    assert not is_hidden(task)
    say(bea, task, "audio")
    assert is_hidden(task)


def test_two_people_most_of_whose_reports_were_dismissed_are_not_enough(
    volunteers, rita, doubted, juniper, add_tasks
):
    accomplice, *tasks = volunteers[0], *add_tasks(juniper, 4)
    for task in tasks[:3]:
        say(accomplice, task, "offensive")
        dismiss(task.clip, rita, NOW)
    for person in (doubted, accomplice):
        say(person, tasks[3], "private")
    assert not is_hidden(tasks[3])
    say(volunteers[1], tasks[3], "language")
    assert is_hidden(tasks[3])


def test_new_reports_do_not_dilute_the_dismissed_ones(doubted, juniper, add_tasks):
    for task in add_tasks(juniper, 6):
        say(doubted, task, "private", NOW.replace(hour=13))
        assert not is_hidden(task)


@pytest.mark.parametrize(("limit", "hides"), [(0, True), (3, False), (4, True)])
def test_from_how_many_dismissals_on_is_a_setting(doubted, juniper, add_tasks, settings, limit, hides):
    settings.DOUBTED_AFTER = limit
    [task] = add_tasks(juniper, 1)
    say(doubted, task, "private")
    assert is_hidden(task) == hides


def test_somebody_whose_reports_mostly_stand_still_hides_at_once(bea, rita, juniper, add_tasks):
    tasks = add_tasks(juniper, 7)
    for task in tasks[:6]:
        say(bea, task, "private")
    for task in tasks[:3]:
        dismiss(task.clip, rita, NOW)
    say(bea, tasks[6], "private")
    assert is_hidden(tasks[6])


def test_reports_of_a_clip_under_two_campaigns_count_together(bea, carl, alice, juniper, add_tasks):
    [task] = add_tasks(juniper, 1)
    other = type(juniper).objects.create(slug="other", kind="wake-word", language="en", wake_word="hey")
    under_other = type(task).objects.create(clip=task.clip, campaign=other, wanted=2)
    say(bea, task, "audio")
    say(bea, under_other, "audio")
    assert not is_hidden(task)
    say(carl, under_other, "audio")
    assert is_hidden(task)


def test_an_example_is_reported_by_the_same_rules(client, bea, carl, alice, juniper, share):
    task = settle(share(juniper))
    example = examples.choose(task, "")
    for person, hides in ((bea, False), (bea, False), (carl, True)):
        say(person, example.task, "language")
        assert is_hidden(task) == hides


@pytest.mark.django_db(transaction=True)
@mutant(
    "two second reports at the same moment hide the clip",
    "tagger/lending/reporting.py",
    kept_by="Clip.objects.select_for_update(no_key=True).get(pk=task.clip_id)",
    broken="Clip.objects.get(pk=task.clip_id)",
)
def test_two_reports_at_the_same_moment_count_both(volunteers, juniper, add_tasks, run_together):
    """Under two campaigns, so that they do not wait for each other at the task."""
    other = type(juniper).objects.create(slug="other", kind="wake-word", language="en", wake_word="hey")
    tasks = add_tasks(juniper, 8)
    pairs = [(task, type(task).objects.create(clip=task.clip, campaign=other, wanted=2)) for task in tasks]
    for pair in pairs:
        calls = [
            lambda person=person, task=task: say(person, task, "audio")
            for person, task in zip(volunteers, pair, strict=False)
        ]
        assert run_together(*calls) == [None, None]
    assert Clip.objects.exclude(hidden_at=None).count() == 8


def test_what_is_known_of_the_people_who_reported(bea, carl, doubted):
    assert reporting.records([bea.pk, doubted.pk]) == {doubted.pk: reporting.Record(4, 3)}
