"""A reviewer decides on what waits for one, and takes it back."""

from base64 import b64encode
from datetime import timedelta

import pytest

from accounts import audit
from accounts.models import AuditEvent
from datasets.models import Campaign, Clip, Task
from datasets.releases import freezing
from tagger.desk import examples
from tagger.lending import assignments
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Decision, Report, ReviewItem
from tagger.privacy import silencing
from tagger.review import acts, undo
from tagger.review.clearing import CheckRefusal
from tagger.review.refusals import ReviewRefusal, ReviewRefused
from tagger.review.wording import WORDS
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.refused import refused
from tests.support.reviewing import act_on, item_of, review_refused

LATER = NOW + timedelta(hours=1)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def stored(task):
    """Every column that an act may change."""
    row = Task.objects.filter(pk=task.pk).values(*acts.TASK_COLUMNS).get()
    return row | {"sealed_answer": b64encode(bytes(row["sealed_answer"]))}


# --- accept ---------------------------------------------------------------------------------------


def test_an_accepted_answer_settles_the_task(rita, task, dispute):
    decision = acts.accept(dispute, rita, "similar", LATER, note="Jupiter")
    task = fresh(task)
    assert (task.status, task.answer, task.adjudicated) == ("settled", "similar", True)
    assert (task.settled_at, fresh(dispute).closed_at) == (LATER, LATER)
    decision = fresh(decision)
    assert (decision.reviewer, decision.act, decision.answer) == (rita, "accept", "similar")
    assert decision.note == "Jupiter" and b"Jupiter" not in bytes(decision.sealed_note)


def test_it_does_not_change_the_volunteers_agreement(rita, task, dispute):
    before = fresh(task).confidence, fresh(task).soft
    acts.accept(dispute, rita, "similar", LATER)
    assert (fresh(task).confidence, fresh(task).soft) == before
    assert fresh(task).confidence < 0.75


def test_deciding_twice_is_refused_and_the_first_decision_stays(rita, task, dispute):
    acts.accept(dispute, rita, "no", NOW)
    with review_refused(ReviewRefusal.ALREADY_DECIDED):
        acts.accept(dispute, rita, "yes", LATER)
    assert (fresh(task).answer, fresh(task).settled_at) == ("no", NOW)


def test_every_refusal_has_its_sentence():
    codes = (ReviewRefusal, examples.ExampleRefusal, silencing.SilencingRefusal, CheckRefusal)
    assert set(WORDS) == {code for each in codes for code in each}


def test_a_dispute_that_a_changed_answer_settled_cannot_be_decided(rita, bea, task, dispute):
    assignments.change(bea, bea.annotations.get().pk, "no", LATER)
    settlement.settle(task.pk, LATER)
    with review_refused(ReviewRefusal.ALREADY_DECIDED):
        acts.accept(dispute, rita, "yes", LATER)
    assert (fresh(task).answer, fresh(task).adjudicated) == ("no", False)


def test_a_decision_outlives_a_changed_answer(rita, bea, task, dispute):
    acts.accept(dispute, rita, "yes", NOW)
    assignments.change(bea, bea.annotations.get().pk, "no", LATER)
    settlement.settle(task.pk, LATER)
    task = fresh(task)
    assert (task.status, task.answer, task.dirty_since) == ("settled", "yes", None)


@pytest.mark.parametrize("answer", ["maybe", "", "turn on the lights"])
def test_an_accepted_answer_is_one_of_the_labels(rita, task, dispute, answer):
    with refused(AnswerRefusal.NOT_A_LABEL):
        acts.accept(dispute, rita, answer, NOW)
    assert (fresh(task).status, fresh(dispute).closed_at) == ("disputed", None)


def test_an_accepted_transcript_is_settled_in_its_normal_form(rita, spoken):
    decision = acts.accept(spoken, rita, "  Turn ON, the lights! ", NOW)
    assert (fresh(decision).answer, fresh(spoken.task).answer) == (
        "Turn ON, the lights!",
        "turn on the lights",
    )
    assert b"lights" not in bytes(fresh(decision).sealed_answer) + bytes(fresh(decision).sealed_before)


def test_a_reviewer_may_decide_that_no_one_speaks(rita, spoken):
    acts.accept(spoken, rita, "", NOW)
    assert (fresh(spoken.task).status, fresh(spoken.task).answer) == ("settled", "")


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_concurrent_decisions_is_stored(rita, carl, task, dispute, run_together):
    done = run_together(
        lambda: acts.accept(dispute, rita, "yes", NOW), lambda: acts.accept(dispute, carl, "no", NOW)
    )
    assert sorted(type(result).__name__ for result in done) == ["Decision", "ReviewRefused"]
    decision = Decision.objects.get()
    assert fresh(task).answer == decision.answer
    assert (decision.reviewer == rita) == (decision.answer == "yes")


@mutant(
    "a reviewer whose time for a clip is over does not decide what another has before them",
    "tagger/review/acts.py",
    kept_by="        raise ReviewRefused(ReviewRefusal.TAKEN_BY_ANOTHER)\n",
    broken="        pass\n",
)
def test_nobody_decides_what_is_lent_to_another(rita, carl, dispute):
    ReviewItem.objects.update(reviewer=carl, lent_until=LATER)
    with review_refused(ReviewRefusal.TAKEN_BY_ANOTHER):
        acts.accept(dispute, rita, "yes", NOW)
    acts.accept(dispute, rita, "yes", LATER)


def test_a_transcript_with_too_many_words_decides_nothing_and_says_why(rita, spoken, client):
    client.force_login(rita)
    typed = " ".join(["la"] * 301)
    response = client.post(act_on(spoken, "accept"), {"answer": typed})
    assert response.status_code == 400
    drawn = response.content.decode()
    assert "transcript has 301 words, at most 300 are accepted." in drawn and typed in drawn
    assert fresh(spoken).closed_at is None


def test_what_was_typed_is_still_there_when_another_was_faster(rita, carl, spoken, client):
    client.force_login(rita)
    acts.accept(spoken, carl, "turn all the lights", NOW)
    response = client.post(act_on(spoken, "accept"), {"answer": "turn on the lights", "remark": "clear"})
    drawn = response.content.decode()
    assert response.status_code == 409 and "This was decided in the meantime." in drawn
    assert ">turn on the lights</textarea>" in drawn and ">clear</textarea>" in drawn


# --- more answers, unusable -----------------------------------------------------------------------


@mutant(
    "a reviewer who asks for more answers gets them",
    "tagger/settling/settlement.py",
    kept_by="max(campaign.min_annotations, asked), max(campaign.max_annotations, asked)",
    broken="campaign.min_annotations, campaign.max_annotations",
)
@mutant(
    "a task of which more answers are wanted than its campaign asks for is lent",
    "tagger/lending/candidates.py",
    kept_by="GREATEST(%s, (",
    broken="LEAST(%s, (",
)
def test_more_answers_are_asked_for_until_they_have_come(rita, volunteers, juniper, task, dispute):
    acts.ask_more(dispute, rita, 2, NOW)
    assert (fresh(task).status, fresh(task).wanted, fresh(dispute).closed_at) == ("open", 4, NOW)
    juniper.refresh_from_db()
    for person, expected in zip(volunteers[3:5], ("open", "settled"), strict=True):
        [lent] = assignments.lend(person, juniper, 1, NOW)
        assignments.hand_in(person, lent.pk, "no", NOW)
        settlement.settle(task.pk, NOW)
        assert fresh(task).status == expected
    assert fresh(task).answer == "no" and not ReviewItem.objects.open().exists()


def test_if_these_do_not_agree_either_it_is_a_dispute_again(rita, volunteers, juniper, task, dispute):
    acts.ask_more(dispute, rita, 2, NOW)
    juniper.refresh_from_db()
    for person, answer in zip(volunteers[3:5], ("similar", "noise"), strict=True):
        [lent] = assignments.lend(person, juniper, 1, NOW)
        assignments.hand_in(person, lent.pk, answer, LATER)
    settlement.settle(task.pk, LATER)
    assert (fresh(task).status, item_of(task.clip).reason) == ("disputed", "no-agreement")


@pytest.mark.parametrize("number", [0, -1, acts.MOST_MORE + 1])
def test_the_number_of_more_answers_is_bounded(rita, task, dispute, number):
    with review_refused(ReviewRefusal.NOT_A_NUMBER, most=acts.MOST_MORE):
        acts.ask_more(dispute, rita, number, NOW)
    assert fresh(task).status == "disputed"


@mutant(
    "an unusable clip stays out of the queue, however its votes are counted",
    "tagger/settling/settlement.py",
    kept_by="if task.adjudicated or task.status == Task.Status.UNUSABLE:",
    broken="if task.adjudicated:",
)
def test_an_unusable_clip_is_lent_and_released_no_more(rita, volunteers, juniper, task, dispute):
    acts.call_unusable(dispute, rita, "cut-off", NOW, note="only “hey”")
    settlement.settle(task.pk, LATER)
    assert fresh(task).status == "unusable"
    assert assignments.lend(volunteers[4], juniper, 1, NOW) == []
    with pytest.raises(freezing.BadRelease):
        freezing.freeze("spring", [juniper], NOW)
    assert Clip.objects.live_for("volunteers").exists()  # its owner keeps it
    assert Decision.objects.get().reason == "cut-off"


def test_a_reported_clip_may_be_called_unusable_and_its_reporter_was_right(rita, bea, task, volunteers):
    for person in volunteers[:2]:
        assignments.report_example(person, task, "audio", NOW)
    acts.call_unusable(item_of(task.clip), rita, "sound", LATER)
    assert fresh(task).status == "unusable" and not ReviewItem.objects.open().exists()
    assert set(Report.objects.values_list("dismissed_at", "upheld_at")) == {(None, LATER)}


def test_unusable_needs_one_of_the_reasons(rita, dispute):
    with review_refused(ReviewRefusal.NOT_A_REASON, reasons=", ".join(Decision.UnusableReason.values)):
        acts.call_unusable(dispute, rita, "dull", NOW)


# --- reports --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("act", "counts_against"), [(acts.dismiss, True), (acts.put_back_in_queue, False)])
def test_a_reported_clip_is_shown_again(rita, bea, task, act, counts_against):
    assignments.report_example(bea, task, "private", NOW)
    act(item_of(task.clip), rita, LATER)
    report = Report.objects.get()
    assert (report.dismissed_at, report.upheld_at) == ((LATER, None) if counts_against else (None, LATER))
    assert fresh(task.clip).hidden_at is None


@mutant(
    "a person whose report was fair can report the clip again",
    "tagger/lending/reporting.py",
    kept_by="        report.upheld_at, report.reason, report.at = None, reason, now\n",
    broken="        return\n",
)
def test_a_clip_that_came_back_can_be_reported_again(rita, bea, task):
    assignments.report_example(bea, task, "private", NOW)
    acts.put_back_in_queue(item_of(task.clip), rita, NOW)
    assignments.report_example(bea, task, "offensive", LATER)
    assert (fresh(task.clip).hidden_at, item_of(task.clip).reason) == (LATER, "offensive")


def test_a_second_report_makes_the_item_as_grave_as_the_gravest(bea, carl, task):
    assignments.report_example(bea, task, "audio", NOW)
    assert item_of(task.clip).rank == ReviewItem.USUAL
    assignments.report_example(carl, task, "private", LATER)
    item = item_of(task.clip)
    assert (item.reason, item.rank, item.opened_at) == ("private", ReviewItem.FIRST, NOW)


@pytest.mark.parametrize("act", [acts.dismiss, acts.put_back_in_queue])
def test_what_is_for_reports_is_refused_for_disputes(rita, dispute, act):
    with review_refused(ReviewRefusal.NOT_FOR_KIND):
        act(dispute, rita, NOW)


def test_a_note_that_is_too_long_decides_nothing(rita, dispute):
    with review_refused(ReviewRefusal.NOTE_TOO_LONG, most=acts.LONGEST_NOTE):
        acts.accept(dispute, rita, "yes", NOW, note="x" * (acts.LONGEST_NOTE + 1))
    assert fresh(dispute).closed_at is None


# --- undo -----------------------------------------------------------------------------------------

ON_A_DISPUTE = {
    "accept": lambda item, who: acts.accept(item, who, "no", LATER),
    "ask-more": lambda item, who: acts.ask_more(item, who, 3, LATER),
    "unusable": lambda item, who: acts.call_unusable(item, who, "other", LATER),
}
ON_A_REPORT = {
    "dismiss": lambda item, who: acts.dismiss(item, who, LATER),
    "return": lambda item, who: acts.put_back_in_queue(item, who, LATER),
    "unusable": lambda item, who: acts.call_unusable(item, who, "other", LATER),
}


@pytest.mark.parametrize("name", ON_A_DISPUTE)
def test_undoing_brings_a_dispute_back_to_the_byte(rita, task, dispute, name):
    before = stored(task)
    decision = ON_A_DISPUTE[name](dispute, rita)
    assert stored(task) != before
    assert undo.undo(decision, rita, LATER) == dispute
    assert stored(task) == before and fresh(dispute).closed_at is None
    assert AuditEvent.objects.latest("number").act == "undid" and audit.broken_at() is None


@pytest.mark.parametrize("name", ON_A_REPORT)
def test_undoing_hides_a_reported_clip_again(rita, bea, task, name):
    assignments.report_example(bea, task, "private", NOW)
    reports_before, before = list(Report.objects.values()), stored(task)
    item = item_of(task.clip)
    undo.undo(ON_A_REPORT[name](item, rita), rita, LATER)
    assert list(Report.objects.values()) == reports_before and stored(task) == before
    assert fresh(task.clip).hidden_at == NOW and fresh(item).closed_at is None


def test_a_transcript_comes_back_to_the_byte(rita, spoken):
    before = stored(spoken.task)
    undo.undo(acts.accept(spoken, rita, "turn on the lights", LATER), rita, LATER)
    assert stored(spoken.task) == before


@mutant(
    "what is in a release is not taken back under it",
    "tagger/review/undo.py",
    kept_by="        raise ReviewRefused(ReviewRefusal.RELEASED_SINCE)\n",
    broken="        pass\n",
)
def test_nothing_is_undone_that_a_release_has(rita, juniper, task, dispute):
    decision = acts.accept(dispute, rita, "yes", NOW)
    freezing.freeze("spring", [juniper], LATER)
    with review_refused(ReviewRefusal.RELEASED_SINCE):
        undo.undo(decision, rita, LATER)
    assert fresh(task).answer == "yes"


def test_only_the_last_ten_decisions_of_ones_own_are_undone_and_only_once(rita, carl, juniper, add_tasks):
    now = NOW
    made = []
    for task in add_tasks(juniper, undo.UNDOABLE + 1):
        now += timedelta(seconds=1)
        ReviewItem.objects.open_disputes([task], "no-agreement", now)
        made.append(acts.accept(item_of(task.clip), rita, "yes", now))
    with review_refused(ReviewRefusal.NOT_AMONG_LAST, number=undo.UNDOABLE):
        undo.undo(made[0], rita, now)
    with review_refused(ReviewRefusal.NOT_AMONG_LAST, number=undo.UNDOABLE):
        undo.undo(made[-1], carl, now)
    undo.undo(made[-1], rita, now)
    with review_refused(ReviewRefusal.UNDONE_ALREADY):
        undo.undo(made[-1], rita, now)


def test_nothing_is_undone_after_the_clip_came_up_again(rita, bea, task, dispute):
    decision = acts.accept(dispute, rita, "yes", NOW)
    assignments.report_example(bea, task, "private", LATER)
    with review_refused(ReviewRefusal.CHANGED_SINCE):
        undo.undo(decision, rita, LATER)
    assert fresh(task.clip).hidden_at == LATER


def test_answers_that_came_since_are_counted_when_a_decision_is_undone(
    rita, task, dispute, volunteers, juniper
):
    decision = acts.ask_more(dispute, rita, 1, NOW)
    juniper.refresh_from_db()
    [lent] = assignments.lend(volunteers[4], juniper, 1, NOW)
    assignments.hand_in(volunteers[4], lent.pk, "no", LATER)
    undo.undo(decision, rita, LATER)
    assert fresh(task).dirty_since is not None
    Campaign.objects.update(max_annotations=3)
    settlement.settle(task.pk, LATER)
    assert fresh(task).annotation_count == 3


def test_what_an_older_site_decided_is_not_undone(rita, dispute):
    decision = acts.accept(dispute, rita, "yes", NOW)
    Decision.objects.update(sealed_before=b"", plain_before={})
    with pytest.raises(ReviewRefused, match=ReviewRefusal.CHANGED_SINCE):
        undo.undo(decision, rita, LATER)
