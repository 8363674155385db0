"""`make fault-test`: nothing is lost while every part breaks, and the checker would find it."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from bench.faults import mutants, run
from bench.faults.breaker import Breaker
from bench.faults.checker import (
    AnnotationRow,
    AssignmentRow,
    CampaignRow,
    ClipRow,
    Finding,
    Kind,
    Stored,
    TaskRow,
    check,
)
from bench.faults.clients import Disconnects
from bench.faults.diary import Answered, Diary, Failed, Heard, OptOut
from datasets.clips import vault
from tests.privacy.test_reconcile import planted
from tests.support.site import ROOT

BEA, CARL, DORA = 11, 12, 13
CLIP = 8_001


@pytest.fixture
def diary():
    """Three people were told that their answers to one clip are stored, and an import that the clip is."""
    answers = [Answered(who, CLIP, "yes", 30 + who, 5.0) for who in (BEA, CARL, DORA)]
    return Diary(answered=answers, imported=[CLIP])


@pytest.fixture
def stored():
    """All of that, in order."""
    return Stored(
        campaigns={1: CampaignRow("many", 5, asks_for_words=False)},
        clips=[ClipRow(2, CLIP, "aa/bb/aabb", is_withdrawn=False)],
        tasks=[TaskRow(3, 2, 1, 3, 0, False, "settled", "yes", False)],
        annotations=[AnnotationRow(30 + who, 3, who, "yes") for who in (BEA, CARL, DORA)],
        assignments=[AssignmentRow(3, who, "vote", "done") for who in (BEA, CARL, DORA)],
        files=frozenset({"aa/bb/aabb"}),
    )


def kinds(diary, stored):
    return {finding.kind for finding in check(diary, stored)}


def with_task(stored, **changed):
    return replace(stored, tasks=[replace(stored.tasks[0], **changed)])


def test_no_finding_when_all_is_in_order(diary, stored):
    assert check(diary, stored) == []


def test_a_lost_answer_is_found(diary, stored):
    left = replace(with_task(stored, annotation_count=2), annotations=stored.annotations[1:])
    assert kinds(diary, left) == {Kind.LOST}


def test_answers_to_a_withdrawn_clip_are_not_missed(diary):
    diary.asked_to_forget.add(CLIP)
    diary.opted_out.append(OptOut("one clip", frozenset({CLIP}), 6.0))
    assert check(diary, Stored()) == []


def test_answers_that_a_leaver_wanted_removed_are_not_missed_and_must_be_gone(diary, stored):
    diary.leavers[BEA] = "remove"
    left = replace(
        with_task(stored, annotation_count=2),
        annotations=stored.annotations[1:],
        assignments=stored.assignments[1:],
    )
    assert check(diary, left) == []
    assert kinds(diary, stored) == {Kind.NOT_FORGOTTEN}


def kept_by_bea(stored):
    """The same, after Bea left and let her answer stay."""
    kept = replace(stored.annotations[0], id=-5, annotator=None)
    return replace(stored, annotations=[kept, *stored.annotations[1:]], assignments=stored.assignments[1:])


def test_answers_that_a_leaver_let_stay_must_be_there_and_no_ones(diary, stored):
    diary.leavers[BEA] = "keep"
    kept = kept_by_bea(stored)
    assert check(diary, kept) == []
    assert Kind.NOT_FORGOTTEN in kinds(diary, stored)
    lost = replace(with_task(kept, annotation_count=2), annotations=kept.annotations[1:])
    assert kinds(diary, lost) == {Kind.LOST}
    changed = [replace(kept.annotations[0], answer="no"), *kept.annotations[1:]]
    assert kinds(diary, replace(kept, annotations=changed)) == {Kind.LOST}


def test_kept_answers_of_two_leavers_are_not_doubled(diary, stored):
    diary.leavers |= {BEA: "keep", CARL: "keep"}
    kept = kept_by_bea(stored)
    both = [kept.annotations[0], replace(kept.annotations[1], id=-6, annotator=None), kept.annotations[2]]
    assert check(diary, replace(kept, annotations=both, assignments=kept.assignments[1:])) == []


def test_two_answers_of_one_person_to_one_task_are_found(diary, stored):
    twice = [*stored.annotations, AnnotationRow(99, 3, BEA, "yes")]
    doubled = replace(with_task(stored, annotation_count=4), annotations=twice)
    assert kinds(diary, doubled) == {Kind.DOUBLED}


def test_an_answer_acknowledged_with_two_ids_is_found(diary, stored):
    diary.answered.append(Answered(BEA, CLIP, "yes", 99, 6.0))
    assert Kind.DOUBLED in kinds(diary, stored)


def test_two_assignments_of_one_person_to_one_task_are_found(diary, stored):
    twice = replace(stored, assignments=[*stored.assignments, stored.assignments[0]])
    assert kinds(diary, twice) == {Kind.DOUBLED}


def test_more_answers_than_the_campaigns_maximum_are_found(diary, stored):
    assert kinds(diary, replace(stored, campaigns={1: CampaignRow("few", 2, False)})) == {Kind.OVER_COLLECTED}


def test_answers_that_were_never_settled_are_found(diary, stored):
    assert kinds(diary, with_task(stored, is_dirty=True)) == {Kind.UNSETTLED}


def test_an_open_task_with_all_its_answers_is_found(diary, stored):
    full = replace(with_task(stored, status="open", answer=None), campaigns={1: CampaignRow("few", 3, True)})
    assert kinds(diary, full) == {Kind.UNSETTLED}


def test_an_answer_stored_with_another_value_is_found(diary, stored):
    other = [replace(stored.annotations[0], answer="no"), *stored.annotations[1:]]
    assert kinds(diary, replace(stored, annotations=other)) == {Kind.WRONG}


def test_a_label_that_no_one_gave_is_found(diary, stored):
    assert kinds(diary, with_task(stored, answer="no")) == {Kind.WRONG}


def test_an_unsettled_task_on_which_three_agree_is_found(diary, stored):
    assert kinds(diary, with_task(stored, status="disputed", answer=None)) == {Kind.WRONG}


@pytest.mark.parametrize("counter", ["annotation_count", "lent_count"])
def test_a_wrong_counter_is_found(diary, stored, counter):
    assert kinds(diary, with_task(stored, **{counter: 4})) == {Kind.WRONG}


def test_a_repeat_takes_no_place(diary, stored):
    again = replace(stored, assignments=[*stored.assignments, AssignmentRow(3, BEA, "repeat", "lent")])
    assert check(diary, again) == []


def test_a_clip_stored_after_its_opt_out_is_found(diary, stored):
    diary.asked_to_forget.add(CLIP)
    diary.opted_out.append(OptOut("all clips", frozenset({CLIP}), 6.0))
    assert kinds(diary, stored) == {Kind.NOT_FORGOTTEN}


@pytest.mark.parametrize(("asked_at", "found"), [(5.9, set()), (6.1, {Kind.NOT_FORGOTTEN})])
def test_a_clip_served_after_its_opt_out_is_found(diary, asked_at, found):
    diary.asked_to_forget.add(CLIP)
    diary.opted_out.append(OptOut("all clips", frozenset({CLIP}), 6.0))
    diary.heard.append(Heard(CLIP, 200, asked_at))
    assert kinds(diary, Stored()) == found


def test_a_missing_imported_clip_is_found(diary, stored):
    diary.imported.append(CLIP + 1)
    assert kinds(diary, stored) == {Kind.LOST}


@pytest.mark.parametrize("files", [frozenset(), frozenset({"aa/bb/aabb", "cc/dd/ccdd"})])
def test_a_row_without_its_file_and_a_file_without_its_row_are_found(diary, stored, files):
    assert kinds(diary, replace(stored, files=files)) == {Kind.ORPHANED}


def test_an_answer_refused_while_the_database_was_up_is_found(diary, stored):
    diary.failed.append(Failed("hand in", BEA, CLIP, 500, 2.0, 3.0))
    assert kinds(diary, stored) == {Kind.REFUSED}
    diary.database_down.append((2.5, 4.0))
    assert check(diary, stored) == []


def test_a_410_for_a_clip_that_was_not_withdrawn_is_found(diary, stored):
    diary.failed.append(Failed("hand in", BEA, CLIP, 410, 2.0, 3.0))
    assert kinds(diary, stored) == {Kind.WRONG}


class Here:
    """Runs commands as a site under faults does, in this process."""

    def manage(self, *arguments, check):
        printed = StringIO()
        with suppress(CommandError):
            call_command(*arguments, stdout=printed)
        return SimpleNamespace(stdout=printed.getvalue())


def test_a_file_without_row_that_the_site_itself_reports_is_no_finding(db, monkeypatch):
    monkeypatch.setattr(run, "RECONCILED_AFTER", 0)
    vault.establish()
    told, untold, missing = planted(), planted(by=timedelta(0)), "a row names file x, which does not exist"
    found = [Finding(Kind.ORPHANED, f"file {name} has no row") for name in (told, untold)]
    found.append(Finding(Kind.ORPHANED, missing))
    assert run._without_reported_orphans(Here(), found) == found[1:]


def test_the_same_seed_gives_the_same_order_of_faults():
    def first_faults(seed):
        return next(Breaker(None, Diary(), Disconnects(), seed).decks())

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
