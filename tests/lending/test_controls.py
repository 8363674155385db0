"""Controls and repeats, mixed in unmarked."""

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
from tests.support.differing import keep_for_repeats
from tests.support.mutants import mutant
from tests.support.refused import refused

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=2)
CONTROL, REPEAT, VOTE = Assignment.Role.CONTROL, Assignment.Role.REPEAT, Assignment.Role.VOTE


def give(task, person, answer):
    Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=NOW)
    Task.objects.filter(pk=task.pk).update(annotation_count=F("annotation_count") + 1, dirty_since=NOW)


@pytest.fixture
def settled(add_tasks, volunteers):
    """Tasks that five volunteers agreed on."""

    def on(campaign, *answers):
        made = add_tasks(campaign, len(answers))
        for task, answer in zip(made, answers, strict=True):
            for person in volunteers[2:]:
                give(task, person, answer)
            settlement.settle(task.pk, NOW)
        return made

    return on


def roles(lent):
    return sorted(each.role for each in lent)


def test_settled_tasks_become_controls(juniper, settled):
    made = settled(juniper, "yes", "no", "noise")
    assert controls.rotate(juniper, NOW) == 3
    assert {each.task_id: each.answer for each in Control.objects.all()} == {
        task.pk: answer for task, answer in zip(made, ("yes", "no", "noise"), strict=True)
    }


def test_a_control_that_few_people_settled_is_trusted_only_after_more_votes(juniper, add_tasks, volunteers):
    [task] = add_tasks(juniper, 1)
    for person in volunteers[:2]:
        give(task, person, "yes")
    settlement.settle(task.pk, NOW)
    assert controls.rotate(juniper, NOW) == 1
    assert not controls.trusted("wake-word", juniper.language).exists()
    for person in volunteers[2:6]:
        give(task, person, "yes")
    settlement.settle(task.pk, NOW)
    assert controls.trusted("wake-word", juniper.language).get().task == task


def test_an_open_task_is_no_control(juniper, add_tasks, bea):
    [task] = add_tasks(juniper, 1)
    give(task, bea, "yes")
    settlement.settle(task.pk, NOW)
    assert controls.rotate(juniper, NOW) == 0


def test_a_decided_task_is_a_control_at_any_confidence(juniper, add_tasks):
    [task] = add_tasks(juniper, 1)
    Task.objects.filter(pk=task.pk).update(
        status="settled", plain_answer="no", adjudicated=True, confidence=0.4
    )
    assert controls.rotate(juniper, NOW) == 1


def test_no_label_has_more_than_a_quarter_of_the_controls(juniper, settled, monkeypatch):
    monkeypatch.setattr(controls, "MAX_IN_USE", 8)
    settled(juniper, *["yes"] * 6, "no")
    assert controls.rotate(juniper, NOW) == 3  # two of yes, a quarter of 8, and the one of no


def test_an_old_control_is_retired_and_never_used_again(juniper, settled):
    settled(juniper, "yes")
    controls.rotate(juniper, NOW)
    assert controls.rotate(juniper, NOW + timedelta(days=15)) == 0


def test_a_control_whose_clip_is_hidden_is_retired(juniper, settled):
    [task] = settled(juniper, "yes")
    controls.rotate(juniper, NOW)
    task.clip.hidden_at = NOW
    task.clip.save()
    assert controls.rotate(juniper, NOW) == 0


@pytest.fixture
def mixed(juniper, settled, add_tasks, dice):
    """Six controls, many tasks that want answers, and dice that always mix controls in."""
    settled(juniper, *["yes"] * 6)
    controls.rotate(juniper, NOW)
    add_tasks(juniper, 30)
    dice(0)


def test_controls_are_lent_among_other_tasks(bea, juniper, mixed):
    lent = assignments.lend(bea, juniper, 10, NOW)
    assert roles(lent) == [CONTROL] * 6 + [VOTE] * 4


def test_no_one_is_lent_a_control_twice(bea, juniper, mixed):
    assignments.lend(bea, juniper, 10, NOW)
    assert CONTROL not in roles(assignments.lend(bea, juniper, 10, NOW))


@mutant(
    "a newcomer who asks for one clip is lent one while clips wait",
    "tagger/lending/assignments.py",
    kept_by="_find(annotator, campaign, count, now)",
    broken="_find(annotator, campaign, count - controls.due(annotator, campaign, count), now)",
)
def test_a_newcomer_who_asks_for_one_clip_is_lent_one_while_clips_wait(bea, juniper, mixed, dice):
    asked_for_one = [assignments.lend(bea, juniper, 1, NOW) for _ in range(10)]
    assert [roles(lent) for lent in asked_for_one] == [[CONTROL]] * 6 + [[VOTE]] * 4
    tasks = Task.objects.filter(assignments__annotator=bea)
    assert set(tasks.values_list("lent_count", flat=True)) == {1}
    assert Task.objects.filter(lent_count=1).count() == 10  # what a control replaced stays free


@pytest.mark.parametrize(("shown", "controls_lent"), [(0.6, 0), (0.4, 5), (0.05, 6)])
def test_controls_come_at_the_intended_rate_when_clips_are_lent_one_by_one(
    bea, juniper, mixed, dice, shown, controls_lent
):
    dice(shown)  # FIRST_SHARE is 0.5, the campaign’s share about 0.07; there are six controls
    lent = [each for _ in range(12) for each in assignments.lend(bea, juniper, 1, NOW)]
    assert len(lent) == 12 and roles(lent).count(CONTROL) == controls_lent


def test_the_last_clip_that_wants_answers_is_lent_after_the_controls(bea, juniper, mixed):
    waiting = Task.objects.filter(status="open").order_by("pk")
    waiting.exclude(pk=waiting[0].pk).update(status="disputed")
    lent = [each for _ in range(8) for each in assignments.lend(bea, juniper, 1, NOW)]
    assert [each.role for each in lent] == [CONTROL] * 6 + [VOTE]


def test_a_repeat_does_not_take_the_only_place_of_a_clip_either(bea, juniper, repeat, dice):
    dice(0.01)
    assert roles(assignments.lend(bea, juniper, 1, LATER)) == [VOTE]


@mutant(
    "no one is lent a control of their own voice",
    "tagger/lending/controls.py",
    kept_by="        AND clip.contributor_id <> %s AND {{live}}\n",
    broken="        AND %s > 0 AND {{live}}\n",
)
def test_no_one_is_lent_a_control_of_their_own_voice(alice, sam, juniper, mixed, add_tasks):
    consent.give(sam, "wake-word", [Purpose.VOLUNTEERS], NOW, reference="on paper")
    add_tasks(juniper, 5, contributor=sam)
    assert roles(assignments.lend(alice, juniper, 10, NOW)) == [VOTE] * 5


def test_without_tasks_that_want_answers_no_control_is_lent(bea, juniper, mixed):
    Task.objects.filter(status="open").update(status="disputed")
    assert assignments.lend(bea, juniper, 10, NOW) == []
    assert set(Task.objects.values_list("lent_count", flat=True)) == {0}


def test_if_the_dice_say_no_nothing_is_mixed_in(bea, juniper, mixed, dice):
    dice(1)
    assert roles(assignments.lend(bea, juniper, 10, NOW)) == [VOTE] * 10


def test_after_five_controls_they_are_rare(bea, juniper, mixed, dice):
    dice(0.4)  # below FIRST_SHARE, above the campaign’s share
    assert roles(assignments.lend(bea, juniper, 10, NOW)).count(CONTROL) == 5
    assert roles(assignments.lend(bea, juniper, 10, NOW)).count(CONTROL) == 0


@mutant(
    "a control never takes a task above max_annotations",
    "tagger/lending/controls.py",
    kept_by='        .filter(annotation_count__lt=campaign.max_annotations - F("lent_count"))\n',
    broken="",
)
def test_an_answer_to_a_control_is_a_vote_up_to_max_annotations(
    juniper, settled, add_tasks, volunteers, dice
):
    [task] = settled(juniper, "yes")
    controls.rotate(juniper, NOW)
    add_tasks(juniper, 5)
    dice(0)
    for person in volunteers[:2]:
        for lent in assignments.lend(person, juniper, 2, NOW):
            assignments.hand_in(person, lent.pk, "yes", NOW)
            settlement.settle(lent.task_id, NOW)
    task.refresh_from_db()
    assert (task.annotation_count, task.annotations.count(), task.lent_count) == (7, 7, 0)
    controls.rotate(juniper, LATER)
    assert Control.objects.get(task=task).retired_at == LATER  # no room for another answer


def test_a_control_that_is_not_answered_frees_its_place(bea, juniper, mixed):
    assignments.lend(bea, juniper, 10, NOW)
    leases.reclaim(NOW + timedelta(hours=1))
    assert set(Task.objects.values_list("lent_count", flat=True)) == {0}


@pytest.fixture
def repeat(bea, juniper, add_tasks, dice):
    """The assignment by which Bea is lent a task again that she answered two days ago."""
    [first] = add_tasks(juniper, 1)
    keep_for_repeats(first)
    [lent] = assignments.lend(bea, juniper, 1, NOW)
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    add_tasks(juniper, 3)
    dice(0)
    [lent_again] = [each for each in assignments.lend(bea, juniper, 2, LATER) if each.role == REPEAT]
    assert lent_again.task_id == first.pk
    return lent_again


def test_a_task_answered_a_while_ago_is_lent_once_again(bea, juniper, repeat):
    assert not any(each.role == REPEAT for each in assignments.lend(bea, juniper, 2, LATER))


def test_no_task_is_repeated_on_the_same_day(bea, juniper, add_tasks, dice):
    keep_for_repeats(*add_tasks(juniper, 3))
    [lent] = assignments.lend(bea, juniper, 1, NOW)
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    dice(0)
    assert roles(assignments.lend(bea, juniper, 2, NOW + timedelta(hours=20))) == [VOTE] * 2


@mutant(
    "a task whose settled answer somebody may see is not asked of them again",
    "tagger/lending/repeats.py",
    kept_by="        task__spread__lt=KEPT_BELOW,\n",
    broken="",
)
def test_only_tasks_that_are_kept_for_it_are_asked_again(bea, juniper, add_tasks, dice):
    [shown] = add_tasks(juniper, 1)
    keep_for_repeats(shown, is_kept=False)
    [lent] = assignments.lend(bea, juniper, 1, NOW)
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    add_tasks(juniper, 3)
    dice(0)
    assert roles(assignments.lend(bea, juniper, 2, LATER)) == [VOTE] * 2


@mutant(
    "the answer to a repeat is no vote",
    "tagger/lending/assignments.py",
    kept_by="    if assignment.role == Role.REPEAT:\n        return _answer_repeat",
    broken="    if False:\n        return _answer_repeat",
)
def test_the_answer_to_a_repeat_is_stored_apart_and_is_no_vote(bea, repeat):
    annotation, is_new = assignments.hand_in(bea, repeat.pk, "no", LATER)
    task = Task.objects.get(pk=repeat.task_id)
    assert (annotation.answer, is_new) == ("yes", True)
    assert [each.answer for each in Repeat.objects.all()] == ["no"]
    assert (task.annotation_count, task.annotations.count(), task.lent_count) == (1, 1, 0)


def test_a_repeat_takes_the_same_answer_again_and_refuses_another(bea, repeat):
    assignments.hand_in(bea, repeat.pk, "no", LATER)
    assert assignments.hand_in(bea, repeat.pk, "no", LATER)[1] is False
    with refused(AnswerRefusal.ANSWERED_DIFFERENTLY):
        assignments.hand_in(bea, repeat.pk, "yes", LATER)
    assert Repeat.objects.count() == 1


def test_changing_an_answer_to_a_repeat_leaves_the_vote(bea, juniper, repeat, add_tasks):
    add_tasks(juniper, 12)
    annotation, _ = assignments.hand_in(bea, repeat.pk, "no", LATER)
    for lent in assignments.lend(bea, juniper, 12, LATER):
        assignments.hand_in(bea, lent.pk, "yes", LATER)
    assignments.change(bea, annotation.pk, "noise", LATER)
    annotation.refresh_from_db()
    assert (annotation.answer, Repeat.objects.get().answer) == ("yes", "noise")


def test_a_repeat_that_is_skipped_or_runs_out_frees_no_place(bea, repeat):
    assignments.skip(bea, repeat.pk, NOW)
    assert Task.objects.get(pk=repeat.task_id).lent_count == 0
    Assignment.objects.filter(pk=repeat.pk).update(state="lent")
    leases.reclaim(LATER + timedelta(hours=1))
    assert Task.objects.get(pk=repeat.task_id).lent_count == 0


def test_the_api_shows_no_difference_between_controls_and_other_tasks(bea, juniper, mixed, client):
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
    "the positions of controls do not reveal them",
    "tagger/lending/assignments.py",
    kept_by="lent.insert(controls.dice.randint(0, len(lent)), each)",
    broken="lent.append(each)",
)
def test_the_positions_of_controls_do_not_reveal_them(volunteers, juniper, mixed):
    positions = set()
    for person in volunteers[:2]:
        lent = assignments.lend(person, juniper, 10, NOW)
        positions |= {position for position, each in enumerate(lent) if each.role == CONTROL}
    assert min(positions) < 4
