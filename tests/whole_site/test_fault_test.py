"""`make fault-test`: nothing is lost while every part breaks, and the checker would find it."""

from dataclasses import replace

import pytest

from bench.faults import mutants, run
from bench.faults.breaker import Breaker
from bench.faults.checker import Annotation, Assignment, Campaign, Clip, Held, Kind, Task, check
from bench.faults.clients import Weather
from bench.faults.diary import Answered, Diary, Heard, Missed, OptOut
from tests.support.site import ROOT

BEA, CARL, DORA = 11, 12, 13
CLIP = 8_001


@pytest.fixture
def told():
    """Three people were told that their answers to one clip are held, and an import that the clip is."""
    answers = [Answered(who, CLIP, "yes", 30 + who, 5.0) for who in (BEA, CARL, DORA)]
    return Diary(answered=answers, imported=[CLIP])


@pytest.fixture
def held():
    """All of that, in order."""
    return Held(
        campaigns={1: Campaign("many", 5, asks_for_words=False)},
        clips=[Clip(2, CLIP, "aa/bb/aabb", is_withdrawn=False)],
        tasks=[Task(3, 2, 1, 3, 0, False, "settled", "yes", False)],
        annotations=[Annotation(30 + who, 3, who, "yes") for who in (BEA, CARL, DORA)],
        assignments=[Assignment(3, who, "vote", "done") for who in (BEA, CARL, DORA)],
        files=frozenset({"aa/bb/aabb"}),
    )


def kinds(told, held):
    return {finding.kind for finding in check(told, held)}


def with_task(held, **changed):
    return replace(held, tasks=[replace(held.tasks[0], **changed)])


def test_no_finding_when_all_is_in_order(told, held):
    assert check(told, held) == []


def test_a_lost_answer_is_found(told, held):
    left = replace(with_task(held, annotation_count=2), annotations=held.annotations[1:])
    assert kinds(told, left) == {Kind.LOST}


def test_answers_to_a_withdrawn_clip_are_not_missed(told):
    told.asked_to_forget.add(CLIP)
    told.opted_out.append(OptOut("one clip", frozenset({CLIP}), 6.0))
    assert check(told, Held()) == []


def test_answers_that_a_leaver_wanted_removed_are_not_missed_and_must_be_gone(told, held):
    told.gone_people[BEA] = "remove"
    left = replace(
        with_task(held, annotation_count=2),
        annotations=held.annotations[1:],
        assignments=held.assignments[1:],
    )
    assert check(told, left) == []
    assert kinds(told, held) == {Kind.NOT_FORGOTTEN}


def test_two_answers_of_one_person_to_one_task_are_found(told, held):
    twice = [*held.annotations, Annotation(99, 3, BEA, "yes")]
    doubled = replace(with_task(held, annotation_count=4), annotations=twice)
    assert kinds(told, doubled) == {Kind.DOUBLED}


def test_an_answer_acknowledged_with_two_ids_is_found(told, held):
    told.answered.append(Answered(BEA, CLIP, "yes", 99, 6.0))
    assert Kind.DOUBLED in kinds(told, held)


def test_two_assignments_of_one_person_to_one_task_are_found(told, held):
    twice = replace(held, assignments=[*held.assignments, held.assignments[0]])
    assert kinds(told, twice) == {Kind.DOUBLED}


def test_more_answers_than_the_campaigns_maximum_are_found(told, held):
    assert kinds(told, replace(held, campaigns={1: Campaign("few", 2, False)})) == {Kind.OVER_COLLECTED}


def test_answers_that_were_never_settled_are_found(told, held):
    assert kinds(told, with_task(held, is_dirty=True)) == {Kind.UNSETTLED}


def test_an_open_task_with_all_its_answers_is_found(told, held):
    full = replace(with_task(held, status="open", answer=None), campaigns={1: Campaign("few", 3, True)})
    assert kinds(told, full) == {Kind.UNSETTLED}


def test_an_answer_stored_with_another_value_is_found(told, held):
    other = [replace(held.annotations[0], answer="no"), *held.annotations[1:]]
    assert kinds(told, replace(held, annotations=other)) == {Kind.WRONG}


def test_a_label_that_no_one_gave_is_found(told, held):
    assert kinds(told, with_task(held, answer="no")) == {Kind.WRONG}


def test_an_unsettled_task_on_which_three_agree_is_found(told, held):
    assert kinds(told, with_task(held, status="disputed", answer=None)) == {Kind.WRONG}


@pytest.mark.parametrize("counter", ["annotation_count", "lent_count"])
def test_a_wrong_counter_is_found(told, held, counter):
    assert kinds(told, with_task(held, **{counter: 4})) == {Kind.WRONG}


def test_a_repeat_takes_no_place(told, held):
    again = replace(held, assignments=[*held.assignments, Assignment(3, BEA, "repeat", "lent")])
    assert check(told, again) == []


def test_a_clip_stored_after_its_opt_out_is_found(told, held):
    told.asked_to_forget.add(CLIP)
    told.opted_out.append(OptOut("all clips", frozenset({CLIP}), 6.0))
    assert kinds(told, held) == {Kind.NOT_FORGOTTEN}


@pytest.mark.parametrize(("asked_at", "found"), [(5.9, set()), (6.1, {Kind.NOT_FORGOTTEN})])
def test_a_clip_served_after_its_opt_out_is_found(told, asked_at, found):
    told.asked_to_forget.add(CLIP)
    told.opted_out.append(OptOut("all clips", frozenset({CLIP}), 6.0))
    told.heard.append(Heard(CLIP, 200, asked_at))
    assert kinds(told, Held()) == found


def test_a_missing_imported_clip_is_found(told, held):
    told.imported.append(CLIP + 1)
    assert kinds(told, held) == {Kind.LOST}


@pytest.mark.parametrize("files", [frozenset(), frozenset({"aa/bb/aabb", "cc/dd/ccdd"})])
def test_a_row_without_its_file_and_a_file_without_its_row_are_found(told, held, files):
    assert kinds(told, replace(held, files=files)) == {Kind.ORPHANED}


def test_an_answer_refused_while_the_database_was_up_is_found(told, held):
    told.missed.append(Missed("hand in", BEA, CLIP, 500, 2.0, 3.0))
    assert kinds(told, held) == {Kind.REFUSED}
    told.database_away.append((2.5, 4.0))
    assert check(told, held) == []


def test_a_410_for_a_clip_that_was_not_withdrawn_is_found(told, held):
    told.missed.append(Missed("hand in", BEA, CLIP, 410, 2.0, 3.0))
    assert kinds(told, held) == {Kind.WRONG}


def test_the_same_seed_gives_the_same_order_of_faults():
    def first_faults(seed):
        return next(Breaker(None, Diary(), Weather(), seed).decks())

    assert first_faults(1) == first_faults(1) != first_faults(2)


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_still_finds_the_one_place_it_breaks(mutant):
    found = {edit.file: (ROOT / edit.file).read_text().count(edit.kept_by) for edit in mutant.edits}
    assert set(found.values()) == {1}, found


def test_nothing_is_lost_doubled_or_over_collected_while_every_part_breaks_once():
    outcome = run.run(faults=9, seed=3)
    assert outcome.findings == []
    assert len(outcome.faults) == 9
    assert outcome.diary.answered
