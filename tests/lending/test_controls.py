"""Known answers and one's own earlier tasks, mixed in unmarked."""

from datetime import timedelta

import pytest
from django.db.models import F

from accounts import consent
from accounts.models import Purpose
from datasets.models import Annotation, Task
from tagger.lending import assignments, controls, leases
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Assignment, Control, Repeat
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.refused import refused

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=2)
CONTROL, REPEAT, VOTE = Assignment.Role.CONTROL, Assignment.Role.REPEAT, Assignment.Role.VOTE


def give(task, person, answer):
    Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=NOW)
    Task.objects.filter(pk=task.pk).update(annotation_count=F("annotation_count") + 1, dirty_since=NOW)


@pytest.fixture
def settled(shelf, volunteers):
    """Tasks that five volunteers agreed on."""

    def on(campaign, *answers):
        made = shelf(campaign, len(answers))
        for task, answer in zip(made, answers, strict=True):
            for person in volunteers[2:]:
                give(task, person, answer)
            settlement.settle(task.pk, NOW)
        return made

    return on


def roles(lent):
    return sorted(each.role for each in lent)


def test_what_was_settled_becomes_a_control(juniper, settled):
    made = settled(juniper, "yes", "no", "noise")
    assert controls.rotate(juniper, NOW) == 3
    assert {each.task_id: each.answer for each in Control.objects.all()} == {
        task.pk: answer for task, answer in zip(made, ("yes", "no", "noise"), strict=True)
    }


def test_what_few_people_settled_is_taken_for_truth_only_when_more_have(juniper, shelf, volunteers):
    [task] = shelf(juniper, 1)
    for person in volunteers[:2]:
        give(task, person, "yes")
    settlement.settle(task.pk, NOW)
    assert controls.rotate(juniper, NOW) == 1
    assert not controls.trusted("wake-word", juniper.language).exists()
    for person in volunteers[2:6]:
        give(task, person, "yes")
    settlement.settle(task.pk, NOW)
    assert controls.trusted("wake-word", juniper.language).get().task == task


def test_what_is_still_open_is_no_control(juniper, shelf, bea):
    [task] = shelf(juniper, 1)
    give(task, bea, "yes")
    settlement.settle(task.pk, NOW)
    assert controls.rotate(juniper, NOW) == 0


def test_what_a_reviewer_decided_is_a_control_whatever_the_volunteers_said(juniper, shelf):
    [task] = shelf(juniper, 1)
    Task.objects.filter(pk=task.pk).update(
        status="settled", plain_answer="no", adjudicated=True, confidence=0.4
    )
    assert controls.rotate(juniper, NOW) == 1


def test_no_label_takes_all_the_places(juniper, settled, monkeypatch):
    monkeypatch.setattr(controls, "IN_USE", 8)
    settled(juniper, *["yes"] * 6, "no")
    assert controls.rotate(juniper, NOW) == 3  # two of yes, a quarter of all, and the one of no


def test_an_old_control_is_retired_and_never_comes_back(juniper, settled):
    settled(juniper, "yes")
    controls.rotate(juniper, NOW)
    assert controls.rotate(juniper, NOW + timedelta(days=15)) == 0


def test_a_withdrawn_clip_is_no_control_any_more(juniper, settled):
    [task] = settled(juniper, "yes")
    controls.rotate(juniper, NOW)
    task.clip.hidden_at = NOW
    task.clip.save()
    assert controls.rotate(juniper, NOW) == 0


@pytest.fixture
def mixed(juniper, settled, shelf, dice):
    """Six controls, many tasks that want answers, and dice that always mix in."""
    settled(juniper, *["yes"] * 6)
    controls.rotate(juniper, NOW)
    shelf(juniper, 30)
    dice(0)


def test_controls_are_lent_among_the_others(bea, juniper, mixed):
    lent = assignments.lend(bea, juniper, 10, NOW)
    assert roles(lent) == [CONTROL] * 6 + [VOTE] * 4


def test_nobody_meets_a_control_twice(bea, juniper, mixed):
    assignments.lend(bea, juniper, 10, NOW)
    assert CONTROL not in roles(assignments.lend(bea, juniper, 10, NOW))


@mutant(
    "the speaker never meets a control of their own",
    "tagger/lending/controls.py",
    kept_by="        AND clip.contributor_id <> %s AND {{live}}\n",
    broken="        AND %s > 0 AND {{live}}\n",
)
def test_the_speaker_never_meets_a_control_of_their_own(alice, sam, juniper, mixed, shelf):
    consent.give(sam, "wake-word", [Purpose.VOLUNTEERS], NOW, reference="on paper")
    shelf(juniper, 5, contributor=sam)
    assert roles(assignments.lend(alice, juniper, 10, NOW)) == [VOTE] * 5


def test_where_nothing_wants_an_answer_there_is_no_control_either(bea, juniper, mixed):
    Task.objects.filter(status="open").update(status="disputed")
    assert assignments.lend(bea, juniper, 10, NOW) == []
    assert set(Task.objects.values_list("lent_count", flat=True)) == {0}


def test_without_luck_nothing_is_mixed_in(bea, juniper, mixed, dice):
    dice(1)
    assert roles(assignments.lend(bea, juniper, 10, NOW)) == [VOTE] * 10


def test_after_five_they_come_seldom(bea, juniper, mixed, dice):
    dice(0.4)  # enough for somebody new, not for anybody else
    assert roles(assignments.lend(bea, juniper, 10, NOW)).count(CONTROL) == 5
    assert roles(assignments.lend(bea, juniper, 10, NOW)).count(CONTROL) == 0


@mutant(
    "a control never brings a task above its campaign's most",
    "tagger/lending/controls.py",
    kept_by='        .filter(annotation_count__lt=campaign.max_annotations - F("lent_count"))\n',
    broken="",
)
def test_an_answer_to_a_control_is_a_vote_and_the_most_is_kept_to(juniper, settled, shelf, volunteers, dice):
    [task] = settled(juniper, "yes")
    controls.rotate(juniper, NOW)
    shelf(juniper, 5)
    dice(0)
    for person in volunteers[:2]:
        for lent in assignments.lend(person, juniper, 2, NOW):
            assignments.hand_in(person, lent.pk, "yes", NOW)
            settlement.settle(lent.task_id, NOW)
    task.refresh_from_db()
    assert (task.annotation_count, task.annotations.count(), task.lent_count) == (7, 7, 0)
    controls.rotate(juniper, LATER)
    assert Control.objects.get(task=task).retired_at == LATER  # worn out


def test_a_control_that_is_not_answered_gives_its_place_back(bea, juniper, mixed):
    assignments.lend(bea, juniper, 10, NOW)
    leases.reclaim(NOW + timedelta(hours=1))
    assert set(Task.objects.values_list("lent_count", flat=True)) == {0}


@pytest.fixture
def again(bea, juniper, shelf, dice):
    """The assignment by which Bea is lent a task once more that she answered two days ago."""
    [first] = shelf(juniper, 1)
    [lent] = assignments.lend(bea, juniper, 1, NOW)
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    shelf(juniper, 3)
    dice(0)
    [repeat] = [each for each in assignments.lend(bea, juniper, 2, LATER) if each.role == REPEAT]
    assert repeat.task_id == first.pk
    return repeat


def test_what_was_answered_a_while_ago_is_lent_once_more(bea, juniper, again):
    assert not any(each.role == REPEAT for each in assignments.lend(bea, juniper, 2, LATER))


def test_nothing_is_asked_again_on_the_same_day(bea, juniper, shelf, dice):
    shelf(juniper, 3)
    [lent] = assignments.lend(bea, juniper, 1, NOW)
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    dice(0)
    assert roles(assignments.lend(bea, juniper, 2, NOW + timedelta(hours=20))) == [VOTE] * 2


@mutant(
    "what is said of a clip once more is no vote",
    "tagger/lending/assignments.py",
    kept_by="    if assignment.role == Role.REPEAT:\n        return _answer_repeat",
    broken="    if False:\n        return _answer_repeat",
)
def test_what_is_said_again_is_kept_apart_and_is_no_vote(bea, again):
    annotation, is_new = assignments.hand_in(bea, again.pk, "no", LATER)
    task = Task.objects.get(pk=again.task_id)
    assert (annotation.answer, is_new) == ("yes", True)
    assert [each.answer for each in Repeat.objects.all()] == ["no"]
    assert (task.annotation_count, task.annotations.count(), task.lent_count) == (1, 1, 0)


def test_saying_it_twice_over_is_no_error_and_otherwise_refused(bea, again):
    assignments.hand_in(bea, again.pk, "no", LATER)
    assert assignments.hand_in(bea, again.pk, "no", LATER)[1] is False
    with refused(AnswerRefusal.ANSWERED_DIFFERENTLY):
        assignments.hand_in(bea, again.pk, "yes", LATER)
    assert Repeat.objects.count() == 1


def test_changing_ones_mind_about_a_repeat_leaves_the_vote(bea, juniper, again, shelf):
    shelf(juniper, 12)
    annotation, _ = assignments.hand_in(bea, again.pk, "no", LATER)
    for lent in assignments.lend(bea, juniper, 12, LATER):
        assignments.hand_in(bea, lent.pk, "yes", LATER)
    assignments.change(bea, annotation.pk, "noise", LATER)
    annotation.refresh_from_db()
    assert (annotation.answer, Repeat.objects.get().answer) == ("yes", "noise")


def test_a_repeat_that_is_skipped_or_runs_out_takes_no_place_from_anybody(bea, again):
    assignments.skip(bea, again.pk)
    assert Task.objects.get(pk=again.task_id).lent_count == 0
    Assignment.objects.filter(pk=again.pk).update(state="lent")
    leases.reclaim(LATER + timedelta(hours=1))
    assert Task.objects.get(pk=again.task_id).lent_count == 0


def test_whoever_tags_cannot_tell_what_is_what(bea, juniper, mixed, client):
    client.force_login(bea)
    lent = client.post(
        f"/api/v1/campaigns/{juniper.slug}/assignments/", {"count": 10}, content_type="application/json"
    ).json()["assignments"]
    assert len(lent) == 10
    assert {tuple(each) for each in lent} == {("id", "audio", "duration", "expires_at")}


def test_lending_with_controls_takes_a_bounded_number_of_queries(
    bea, carl, juniper, mixed, django_assert_max_num_queries
):
    with django_assert_max_num_queries(16):
        assignments.lend(bea, juniper, 2, NOW)
    with django_assert_max_num_queries(16):
        assignments.lend(carl, juniper, 10, NOW)


@mutant(
    "the places of controls do not tell which they are",
    "tagger/lending/assignments.py",
    kept_by="wanted.insert(controls.dice.randint(0, len(wanted)), each)",
    broken="wanted.append(each)",
)
def test_the_places_of_controls_do_not_tell_which_they_are(volunteers, juniper, mixed):
    places = set()
    for person in volunteers[:2]:
        lent = assignments.lend(person, juniper, 10, NOW)
        places |= {place for place, each in enumerate(lent) if each.role == CONTROL}
    assert min(places) < 4
