"""Lending, handing in, skipping, reporting and changing, by one person at a time."""

from datetime import timedelta
from random import Random

import pytest
from django.conf import settings
from django.db import connection

from accounts import consent
from accounts.models import Purpose, User
from datasets import normalise
from datasets.models import MAX_SPREAD, Annotation, Clip, Task
from datasets.normalise import TranscriptFault
from tagger.lending import assignments, candidates, controls, leases
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Assignment, Report
from tagger.review import queue
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.refused import refused
from tests.support.reviewing import as_reviewers, dismiss

LATER = NOW + settings.LEASE


def lend(person, campaign, count=1, now=NOW):
    return assignments.lend(person, campaign, count, now)


def lent_to(person, campaign, count=10, now=NOW):
    """The tasks that this person is lent, in order."""
    return [assignment.task_id for assignment in lend(person, campaign, count, now)]


def answer(person, task, given="yes", now=NOW):
    """This task is lent to this person, without the choices of lending, and handed in."""
    lent = Assignment.objects.create(task=task, annotator=person, lent_at=now, expires_at=LATER)
    Task.objects.filter(pk=task.pk).update(lent_count=task.lent_count + 1)
    return assignments.hand_in(person, lent.pk, given, now)[0]


def counts(task):
    task.refresh_from_db()
    return task.annotation_count, task.lent_count


def expire(*lent):
    """The leases run out and are reclaimed."""
    Assignment.objects.filter(pk__in=[one.pk for one in lent]).update(expires_at=NOW)
    assert leases.reclaim(NOW) == len(lent)


@pytest.fixture
def task(juniper, share):
    return share(juniper)


@pytest.fixture
def lent(bea, juniper, task):
    """The task, lent to Bea."""
    return lend(bea, juniper)[0]


@pytest.fixture
def sentence(bea, sentences, share):
    """A clip to transcribe, lent to Bea."""
    share(sentences)
    return lend(bea, sentences)[0]


def test_a_task_is_lent_for_the_time_of_a_lease(lent, task):
    assert (lent.task_id, lent.state, lent.lent_at, lent.expires_at) == (task.pk, "lent", NOW, LATER)
    assert counts(task) == (0, 1)


def test_no_one_is_lent_a_task_twice(bea, juniper, lent):
    assert lend(bea, juniper) == []


def test_no_one_is_lent_a_task_that_they_answered(bea, juniper, lent):
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    assert lend(bea, juniper, now=LATER) == []


def test_no_one_is_lent_a_task_that_they_skipped(bea, carl, juniper, lent):
    assignments.skip(bea, lent.pk, NOW)
    assert lend(bea, juniper, now=LATER) == []
    assert len(lend(carl, juniper)) == 1


def test_no_one_is_lent_a_task_that_they_reported_even_if_a_reviewer_dismissed_it(
    bea, carl, rita, juniper, lent, task
):
    assignments.report(bea, lent.pk, "private", NOW)
    dismiss(task.clip, rita, NOW)
    assert lend(bea, juniper, now=LATER) == []
    assert len(lend(carl, juniper)) == 1


@mutant(
    "no one hears their own clip as a volunteer",
    "tagger/lending/candidates.py",
    kept_by="        AND clip.contributor_id <> %s AND clip",
    broken="        AND %s > 0 AND clip",
)
def test_no_one_is_lent_their_own_clip(alice, juniper, task):
    assert lend(alice, juniper) == []


def test_a_hidden_clip_is_lent_to_no_one(bea, juniper, task):
    Clip.objects.update(hidden_at=NOW)
    assert lend(bea, juniper) == []


@mutant(
    "a withdrawn clip is lent to no one",
    "tagger/lending/candidates.py",
    kept_by="        AND {{live}}\n",
    broken="",
)
def test_a_withdrawn_clip_is_lent_to_no_one(alice, bea, juniper, task):
    consent.withdraw(alice, NOW)
    assert lend(bea, juniper) == []


def test_a_withdrawal_ends_the_lending_of_one_contributors_clips_alone(alice, bea, juniper, task, add_tasks):
    wendy = User.objects.create_user("wendy")
    consent.give(wendy, "wake-word", [Purpose.VOLUNTEERS], NOW, reference="on paper")
    [hers] = add_tasks(juniper, 1, wendy)
    consent.withdraw(alice, NOW)
    assert lent_to(bea, juniper) == [hers.pk]


def test_consent_given_again_lets_a_clip_be_lent_again(alice, bea, juniper, task):
    consent.withdraw(alice, NOW)
    consent.give(alice, "wake-word", [Purpose.VOLUNTEERS], NOW, reference="a second form")
    assert lent_to(bea, juniper) == [task.pk]


@pytest.mark.parametrize(
    ("material", "purpose"), [("wake-word", Purpose.RESEARCHERS), ("utterance", Purpose.VOLUNTEERS)]
)
def test_consent_for_another_purpose_or_material_lets_no_one_hear(
    alice, bea, juniper, task, material, purpose
):
    consent.withdraw(alice, NOW)
    consent.give(alice, material, [purpose], NOW, reference="a second form")
    assert lend(bea, juniper) == []


def test_only_open_tasks_are_lent(bea, juniper, add_tasks):
    settled, disputed, still_open = add_tasks(juniper, 3)
    Task.objects.filter(pk=settled.pk).update(status="settled", plain_answer="yes")
    Task.objects.filter(pk=disputed.pk).update(status="disputed")
    assert lent_to(bea, juniper) == [still_open.pk]


def test_tasks_of_other_campaigns_are_not_lent(bea, juniper, sentences, share, task):
    share(sentences)
    assert lent_to(bea, juniper) == [task.pk]


def test_no_more_people_have_a_task_than_are_wanted(volunteers, juniper, task):
    assert [len(lend(person, juniper)) for person in volunteers] == [1, 1, 0, 0, 0, 0, 0]
    assert counts(task) == (0, task.wanted)


def test_answers_count_among_those_wanted(volunteers, juniper, task):
    answer(volunteers[0], task)
    assert [len(lend(person, juniper)) for person in volunteers[1:4]] == [1, 0, 0]


@pytest.mark.parametrize("give_back", ["skip", "expire"])
def test_a_place_that_was_given_back_is_lent_to_another_person(volunteers, juniper, task, give_back):
    bea, carl, dora, *_ = volunteers
    [hers], [_his] = lend(bea, juniper), lend(carl, juniper)
    if give_back == "skip":
        assignments.skip(bea, hers.pk, NOW)
    else:
        expire(hers)
    assert lent_to(dora, juniper) == [task.pk]


def test_tasks_nearest_to_done_come_first_then_by_priority_then_at_random(bea, carl, juniper, add_tasks):
    one, urgent, another, answered = add_tasks(juniper, 4)
    Task.objects.filter(pk=urgent.pk).update(priority=-1)
    answer(bea, answered)
    first, second, *others = lent_to(carl, juniper)
    assert (first, second, set(others)) == (answered.pk, urgent.pk, {one.pk, another.pk})


def test_requests_at_the_same_time_start_from_different_points(volunteers, juniper, add_tasks, monkeypatch):
    monkeypatch.setattr(controls, "dice", Random(7))
    add_tasks(juniper, 300)
    lent = [lent_to(person, juniper)[0] for person in volunteers]
    assert len(set(lent)) == len(volunteers)


def test_a_clip_without_speech_comes_after_one_with(bea, juniper, add_tasks):
    silent, spoken = add_tasks(juniper, 2)
    Task.objects.filter(pk=silent.pk).update(priority=1)
    assert lent_to(bea, juniper) == [spoken.pk, silent.pk]


def test_a_count_of_zero_lends_nothing(bea, juniper, task):
    assert lend(bea, juniper, count=0) == []


def test_a_volunteer_hears_at_most_the_cap_of_one_contributors_clips(alice, bea, juniper, add_tasks):
    wendy = User.objects.create_user("wendy")
    consent.give(wendy, "wake-word", [Purpose.VOLUNTEERS], NOW, reference="on paper")
    juniper.contributor_cap = 2
    alices, wendys = add_tasks(juniper, 5), add_tasks(juniper, 5, wendy)
    lent = set(lent_to(bea, juniper))
    assert len(lent & {task.pk for task in alices}) == len(lent & {task.pk for task in wendys}) == 2
    assert len(lent) == 4


def test_the_cap_counts_the_last_24_hours(bea, juniper, add_tasks):
    juniper.contributor_cap = 2
    add_tasks(juniper, 5)
    first = lend(bea, juniper)
    lend(bea, juniper, now=NOW + timedelta(hours=1))
    assert lend(bea, juniper, now=NOW + timedelta(hours=23)) == []
    for lent in first:
        assignments.hand_in(bea, lent.pk, "yes", NOW)
    assert len(lend(bea, juniper, 10, NOW + timedelta(hours=24))) == 1


def test_the_cap_is_for_each_volunteer(bea, carl, juniper, add_tasks):
    juniper.contributor_cap = 1
    add_tasks(juniper, 5)
    assert len(lend(bea, juniper)) == len(lend(carl, juniper)) == 1


def test_no_one_has_more_leases_than_the_limit(bea, juniper, add_tasks, settings):
    settings.NEWCOMERS_LENDING_QUOTA = 0
    add_tasks(juniper, assignments.MAX_LEASES + 5)
    lent = lend(bea, juniper, assignments.MAX_LEASES + 5)
    assert len(lent) == assignments.MAX_LEASES
    assert lend(bea, juniper) == []
    assignments.skip(bea, lent[0].pk, NOW)
    assert len(lend(bea, juniper, 5)) == 1


def test_what_expired_is_no_lease(bea, juniper, lent):
    assert list(assignments.leases(bea, NOW)) == [lent]
    assert list(assignments.leases(bea, LATER)) == []


def test_an_expired_assignment_is_lent_to_the_same_person_again_in_the_same_row(bea, juniper, lent, task):
    expire(lent)
    [again] = lend(bea, juniper, now=LATER)
    again.refresh_from_db()
    assert (again.pk, again.state, again.lent_at) == (lent.pk, "lent", LATER)
    assert again.expires_at == LATER + settings.LEASE
    assert counts(task) == (0, 1)
    assignments.hand_in(bea, again.pk, "yes", LATER)


def test_a_lease_that_ran_out_takes_a_place_until_it_is_reclaimed(volunteers, juniper, task):
    for person in volunteers[:2]:
        lend(person, juniper)
    assert lend(volunteers[2], juniper, now=LATER) == []
    assert leases.reclaim(LATER) == 2
    assert len(lend(volunteers[2], juniper, now=LATER)) == 1


def test_only_leases_that_ran_out_are_reclaimed(bea, carl, juniper, add_tasks):
    add_tasks(juniper, 2)
    [late] = lend(bea, juniper)
    [fresh] = lend(carl, juniper, now=NOW + timedelta(seconds=1))
    assert leases.reclaim(LATER) == 1
    states = dict(Assignment.objects.values_list("pk", "state"))
    assert states == {late.pk: "expired", fresh.pk: "lent"}


def test_reclaiming_continues_until_nothing_is_late(volunteers, juniper, add_tasks, monkeypatch):
    monkeypatch.setattr(leases, "BATCH_SIZE", 2)
    add_tasks(juniper, 3)
    for person in volunteers[:2]:
        lend(person, juniper, 3)
    assert leases.reclaim(LATER) == 6
    assert leases.reclaim(LATER) == 0
    assert set(Task.objects.values_list("lent_count", flat=True)) == {0}


def test_a_page_opened_again_shows_existing_leases_and_then_more(bea, juniper, add_tasks):
    add_tasks(juniper, 3)
    [first] = assignments.top_up(bea, juniper, 1, NOW)
    assert assignments.top_up(bea, juniper, 1, NOW) == [first]
    again, more = assignments.top_up(bea, juniper, 2, NOW)
    assert (again, more.lent_at) == (first, NOW)


@pytest.mark.parametrize("end", ["withdrawn", "hidden", "expired"])
def test_a_page_opened_again_shows_only_clips_that_may_be_heard(alice, bea, juniper, lent, end):
    if end == "withdrawn":
        consent.withdraw(alice, NOW)
    if end == "hidden":
        Clip.objects.update(hidden_at=NOW)
    assert assignments.top_up(bea, juniper, 1, LATER if end == "expired" else NOW) == []


def test_lending_ten_of_many_tasks_takes_as_many_queries_as_one_of_few(
    bea, carl, juniper, add_tasks, django_assert_num_queries
):
    """Savepoint, lock of the annotator, their leases, the search, the assignments, release."""
    add_tasks(juniper, 30)
    lend(bea, juniper)  # prepares the statements for this connection
    with django_assert_num_queries(6):
        lend(bea, juniper)
    add_tasks(juniper, 500)
    with django_assert_num_queries(6):
        lend(carl, juniper, 10)


@pytest.mark.parametrize(("tasks", "looked_at"), [(5, 5), (300, 30)])
def test_lending_looks_at_few_tasks_in_campaigns_of_any_size(juniper, add_tasks, tasks, looked_at):
    """From a point near the end, so that it continues from the beginning; the same in both pools."""
    add_tasks(juniper, tasks)
    assert _looked_at(juniper, awaiting=False) == looked_at
    Task.objects.update(awaits_record=True)
    assert (_looked_at(juniper, awaiting=False), _looked_at(juniper, awaiting=True)) == (0, looked_at)


def _looked_at(juniper, awaiting):
    start = MAX_SPREAD - MAX_SPREAD // 100
    with connection.cursor() as cursor:
        own = (juniper.pk, juniper.max_annotations, juniper.pk, juniper.pk)
        values = (*own, start, 30, start, 30, 30, 120)
        cursor.execute(f"SELECT count(DISTINCT id) FROM ({candidates.near(awaiting)}) near", values)
        return cursor.fetchone()[0]


def test_the_last_task_that_an_annotator_has_not_had_is_found(bea, juniper, add_tasks, settings):
    settings.NEWCOMERS_LENDING_QUOTA = 0
    add_tasks(juniper, 400)
    while lent := lend(bea, juniper, 100):
        last = lent[-1]
        for one in lent:
            assignments.hand_in(bea, one.pk, "yes", NOW)
    Annotation.objects.filter(task=last.task_id).delete()
    Assignment.objects.filter(pk=last.pk).delete()
    assert lent_to(bea, juniper, 1) == [last.task_id]


def test_handing_in_takes_one_query_in_campaigns_of_any_size(
    volunteers, juniper, share, add_tasks, django_assert_num_queries
):
    juniper.min_annotations = 7
    juniper.save()
    task = share(juniper)
    [first] = lend(volunteers[2], juniper)
    assignments.hand_in(volunteers[2], first.pk, "yes", NOW)  # prepares the statement for this connection
    for crowd in (0, 300):
        add_tasks(juniper, crowd)
        person = volunteers[bool(crowd)]
        [lent] = lend(person, juniper)
        with django_assert_num_queries(1):
            assignments.hand_in(person, lent.pk, "yes", NOW)
    assert counts(task) == (3, 0)


def test_an_answer_is_stored_and_its_task_marked_dirty(bea, lent, task):
    annotation, is_new = assignments.hand_in(bea, lent.pk, "similar", NOW)
    assert is_new
    assert (annotation.task, annotation.annotator, annotation.answer) == (task, bea, "similar")
    assert counts(task) == (1, 0)
    assert task.dirty_since == NOW
    assert Assignment.objects.get().state == "done"


@mutant(
    "an answer is stored completely or not at all",
    "tagger/lending/assignments.py",
    kept_by="@transaction.atomic\ndef _hand_in(",
    broken="def _hand_in(",
)
def test_an_answer_is_stored_completely_or_not_at_all(bea, sentence, monkeypatch):
    def fail(*args, **counters):
        raise RuntimeError("a crash")

    monkeypatch.setattr(assignments, "_close", fail)
    with pytest.raises(RuntimeError):
        assignments.hand_in(bea, sentence.pk, "hello", NOW)
    assert (Annotation.objects.count(), counts(sentence.task), sentence.task.dirty_since) == (0, (0, 1), None)


def test_a_task_stays_dirty_since_its_first_unsettled_answer(bea, carl, juniper, lent, task):
    [other] = lend(carl, juniper)
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    assignments.hand_in(carl, other.pk, "yes", LATER)
    task.refresh_from_db()
    assert task.dirty_since == NOW


def test_the_same_answer_again_is_the_same_annotation(bea, lent, task):
    first, _ = assignments.hand_in(bea, lent.pk, "yes", NOW)
    assert assignments.hand_in(bea, lent.pk, "yes", LATER) == (first, False)
    assert counts(task) == (1, 0)


def test_another_answer_is_refused_and_the_first_stays(bea, lent):
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    with refused(AnswerRefusal.ANSWERED_DIFFERENTLY):
        assignments.hand_in(bea, lent.pk, "no", NOW)
    assert Annotation.objects.get().answer == "yes"


def test_an_answer_after_the_lease_ran_out_is_stored_if_it_was_not_reclaimed(bea, lent, task):
    assignments.hand_in(bea, lent.pk, "yes", LATER)
    assert counts(task) == (1, 0)


def test_a_late_answer_is_stored_while_there_is_room(bea, lent, task):
    expire(lent)
    assignments.hand_in(bea, lent.pk, "yes", LATER)
    assert counts(task) == (1, 0)


def test_a_late_answer_is_stored_even_if_others_have_the_wanted_places(volunteers, juniper, lent, task):
    expire(lent)
    for person in volunteers[1:3]:
        lend(person, juniper)
    assignments.hand_in(volunteers[0], lent.pk, "yes", LATER)
    assert counts(task) == (1, 2)


@pytest.mark.parametrize("taken", ["answered", "lent"])
def test_a_late_answer_is_refused_when_every_place_is_taken(volunteers, juniper, lent, task, taken):
    juniper.max_annotations = 2
    juniper.save()
    expire(lent)
    for person in volunteers[1:3]:
        [theirs] = lend(person, juniper)
        if taken == "answered":
            assignments.hand_in(person, theirs.pk, "yes", NOW)
    with refused(AnswerRefusal.TOO_LATE):
        assignments.hand_in(volunteers[0], lent.pk, "yes", LATER)
    assert sum(counts(task)) == 2


@pytest.mark.parametrize("state", ["skipped", "reported"])
def test_a_closed_assignment_takes_no_answer(bea, lent, task, state):
    if state == "skipped":
        assignments.skip(bea, lent.pk, NOW)
    else:
        assignments.report(bea, lent.pk, "audio", NOW)
    with refused(AnswerRefusal(f"already-{state}"), f"already {state}"):
        assignments.hand_in(bea, lent.pk, "yes", NOW)
    assert Annotation.objects.count() == 0


@mutant(
    "a clip that is gone takes no answer",
    "tagger/lending/statements.py",
    kept_by=" AND campaign.kind = %s AND {{live}}\n",
    broken=" AND campaign.kind = %s\n",
)
@pytest.mark.parametrize("end", ["withdrawn", "hidden"])
def test_a_clip_that_is_gone_takes_no_answer(alice, bea, lent, task, end):
    if end == "withdrawn":
        consent.withdraw(alice, NOW)
    else:
        Clip.objects.update(hidden_at=NOW)
    with refused(AnswerRefusal.CLIP_GONE):
        assignments.hand_in(bea, lent.pk, "yes", NOW)
    assert (Annotation.objects.count(), counts(task)) == (0, (0, 1))


@pytest.mark.parametrize("given", ["", "Yes", "yes ", "maybe", "yes\0"])
def test_a_refused_label_is_answered_with_the_possible_ones(bea, lent, given):
    with refused(AnswerRefusal.NOT_A_LABEL, "answer is one of yes, similar, no, noise"):
        assignments.hand_in(bea, lent.pk, given, NOW)
    assert Annotation.objects.count() == 0


def test_a_transcript_is_kept_as_typed(bea, sentence):
    annotation, _ = assignments.hand_in(bea, sentence.pk, "  Hello,  WORLD\n", NOW)
    assert annotation.answer == "Hello,  WORLD"


def test_an_empty_transcript_is_an_answer(bea, sentence):
    annotation, is_new = assignments.hand_in(bea, sentence.pk, " ", NOW)
    assert (annotation.answer, is_new) == ("", True)


def test_a_transcript_may_have_the_longest_length_and_no_character_more(bea, sentence):
    longest = "a" * normalise.LONGEST
    with refused(TranscriptFault.TOO_LONG, "2001 characters long, at most 2000"):
        assignments.hand_in(bea, sentence.pk, longest + "a", NOW)
    assert assignments.hand_in(bea, sentence.pk, longest, NOW)[0].answer == longest


def test_a_transcript_with_a_zero_character_is_refused(bea, sentence):
    with refused(TranscriptFault.ZERO_CHARACTER, "null character"):
        assignments.hand_in(bea, sentence.pk, "hel\0lo", NOW)


@mutant(
    "no one hands in for another person",
    "tagger/lending/statements.py",
    kept_by="assignment.annotator_id + 0 = %s",
    broken="%s > 0",
)
@pytest.mark.parametrize(
    "act",
    [
        lambda carl, pk: assignments.hand_in(carl, pk, "yes", NOW),
        lambda carl, pk: assignments.skip(carl, pk, NOW),
        lambda carl, pk: assignments.report(carl, pk, "private", NOW),
        lambda carl, pk: assignments.playable(carl, pk, NOW),
    ],
    ids=["hand in", "skip", "report", "play"],
)
def test_another_persons_assignment_does_not_exist(carl, lent, task, act):
    with pytest.raises(Assignment.DoesNotExist):
        act(carl, lent.pk)
    task.clip.refresh_from_db()
    assert (counts(task), task.clip.hidden_at) == ((0, 1), None)


def test_skipping_twice_gives_one_place_back(bea, lent, task):
    assignments.skip(bea, lent.pk, NOW)
    assignments.skip(bea, lent.pk, NOW)
    assert counts(task) == (0, 0)


def test_an_answer_cannot_be_skipped(bea, lent, task):
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    with refused(AnswerRefusal.ALREADY_ANSWERED, "already answered"):
        assignments.skip(bea, lent.pk, NOW)
    assert counts(task) == (1, 0)


def test_what_expired_can_still_be_skipped_for_good(bea, juniper, lent, task):
    expire(lent)
    assignments.skip(bea, lent.pk, NOW)
    assert lend(bea, juniper, now=LATER) == []
    assert counts(task) == (0, 0)


@mutant(
    "a reported clip is hidden from everyone immediately",
    "tagger/lending/reporting.py",
    kept_by=".update(hidden_at=now)",
    broken=".update(hidden_at=None)",
)
def test_a_report_hides_the_clip_from_everyone_immediately(bea, carl, juniper, lent, task):
    [other] = lend(carl, juniper)
    assignments.report(bea, lent.pk, "private", NOW)
    with refused(AnswerRefusal.CLIP_GONE):
        assignments.playable(carl, other.pk, NOW)
    task.clip.refresh_from_db()
    assert task.clip.hidden_at == NOW
    assert Report.objects.get(reporter=bea).reason == "private"
    assert counts(task) == (0, 1)


def test_an_answer_whose_clip_is_reported_stays_counted(bea, lent, task):
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    assignments.report(bea, lent.pk, "private", NOW)
    done = Assignment.objects.get()
    assert (done.state, Report.objects.get().reason, counts(task)) == ("done", "private", (1, 0))


def test_reporting_twice_changes_nothing_more(bea, lent, task):
    assignments.report(bea, lent.pk, "private", NOW)
    assignments.report(bea, lent.pk, "private", LATER)
    task.clip.refresh_from_db()
    assert (task.clip.hidden_at, counts(task)) == (NOW, (0, 0))


def test_a_report_needs_one_of_the_reasons(bea, lent, task):
    with refused(AnswerRefusal.NOT_A_REASON, "reason is one of private, other-person"):
        assignments.report(bea, lent.pk, "boring", NOW)
    assert task.clip.hidden_at is None


def test_reported_clips_wait_for_a_reviewer_who_is_not_their_contributor(alice, rita, bea, lent, task):
    assignments.report(bea, lent.pk, "offensive", NOW)
    [waiting] = queue.open_to(rita)
    assert (waiting.clip, waiting.kind, waiting.reason) == (task.clip, "report", "offensive")
    [alice] = as_reviewers(alice)
    assert not queue.open_to(alice).exists()


def test_a_reported_clip_that_was_withdrawn_is_heard_by_no_reviewer(alice, rita, bea, lent):
    assignments.report(bea, lent.pk, "offensive", NOW)
    assert queue.open_to(rita).exists()
    consent.withdraw(alice, NOW)
    assert not queue.open_to(rita).exists()


def test_a_changed_answer_marks_its_task_dirty(bea, lent, task):
    annotation, _ = assignments.hand_in(bea, lent.pk, "yes", NOW)
    settlement.settle(task.pk, NOW)
    changed = assignments.change(bea, annotation.pk, "no", LATER)
    assert (changed.answer, changed.changed_at) == ("no", LATER)
    task.refresh_from_db()
    assert task.dirty_since == LATER
    assert counts(task) == (1, 0)


def test_a_change_to_the_same_answer_changes_nothing(bea, lent, task):
    annotation, _ = assignments.hand_in(bea, lent.pk, "yes", NOW)
    settlement.settle(task.pk, NOW)
    assert assignments.change(bea, annotation.pk, "yes", LATER).changed_at is None
    task.refresh_from_db()
    assert task.dirty_since is None


def test_only_the_last_answers_can_be_changed(bea, juniper, add_tasks):
    given = [answer(bea, task) for task in add_tasks(juniper, assignments.CHANGEABLE + 1)]
    assignments.change(bea, given[1].pk, "no", NOW)
    with refused(AnswerRefusal.NOT_AMONG_LAST, "last 10"):
        assignments.change(bea, given[0].pk, "no", NOW)


def test_no_one_changes_another_persons_answer(bea, carl, lent):
    annotation, _ = assignments.hand_in(bea, lent.pk, "yes", NOW)
    with pytest.raises(Annotation.DoesNotExist):
        assignments.change(carl, annotation.pk, "no", NOW)


def test_an_answer_cannot_be_changed_to_an_invalid_one(bea, lent):
    annotation, _ = assignments.hand_in(bea, lent.pk, "yes", NOW)
    with refused(AnswerRefusal.NOT_A_LABEL):
        assignments.change(bea, annotation.pk, "maybe", NOW)
    annotation.refresh_from_db()
    assert annotation.answer == "yes"


@pytest.mark.parametrize("done", [False, True])
def test_the_annotator_hears_the_clip_also_after_answering(bea, lent, task, done):
    if done:
        assignments.hand_in(bea, lent.pk, "yes", NOW)
    assert assignments.playable(bea, lent.pk, NOW) == task.clip


@pytest.mark.parametrize("end", ["late", "expired", "skipped"])
def test_a_clip_that_is_no_longer_lent_cannot_be_heard(bea, lent, end):
    if end == "expired":
        expire(lent)
    if end == "skipped":
        assignments.skip(bea, lent.pk, NOW)
    with refused(AnswerRefusal.NOT_LENT):
        assignments.playable(bea, lent.pk, LATER if end == "late" else NOW)


@mutant(
    "a withdrawn clip cannot be heard",
    "tagger/lending/assignments.py",
    kept_by="AnswerRefusal.NOT_LENT)\n    _must_be_live(assignment.task.clip)",
    broken="AnswerRefusal.NOT_LENT)",
)
def test_a_withdrawn_clip_cannot_be_heard(alice, bea, lent):
    consent.withdraw(alice, NOW)
    with refused(AnswerRefusal.CLIP_GONE):
        assignments.playable(bea, lent.pk, NOW)
