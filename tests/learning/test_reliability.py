"""Refits: who is reliable, what that changes, and who may see it."""

import re
from datetime import timedelta

import pytest
from django.db.models import F

from accounts import consent
from accounts.models import Role, User
from datasets.models import MAX_SPREAD, Annotation, Task
from tagger import tasks
from tagger.learning import fast_answers, labellers, refit
from tagger.lending import assignments
from tagger.models import Assignment, Crowd, Reliability
from tagger.privacy import withdrawal
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
LABELS = ["yes", "similar", "no", "noise"]


def give(task, person, answer, at=NOW):
    Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=at)
    Task.objects.filter(pk=task.pk).update(annotation_count=F("annotation_count") + 1, dirty_since=at)


@pytest.fixture
def history(juniper, add_tasks, volunteers):
    """Forty clips answered by four people who are right and one who always says yes."""
    *careful, clicker = volunteers[:5]
    for number, task in enumerate(add_tasks(juniper, 40)):
        truth = LABELS[number % 4]
        for person in careful:
            give(task, person, truth)
        give(task, clicker, "yes")
        settlement.settle(task.pk, NOW)
    return careful, clicker


def named(people, page):
    return [person.pseudonym for person in people if re.search(rf"\b{person.pseudonym}\b", page)]


def score(person):
    return Reliability.objects.get(annotator=person).score


def test_an_annotator_who_always_says_the_same_scores_low(juniper, history):
    careful, clicker = history
    assert refit.refit("wake-word", juniper.language, NOW) == 200
    assert score(clicker) < 0.5 < 0.8 < min(score(person) for person in careful)


def test_a_clickers_answer_weighs_less_than_a_careful_ones(juniper, history, add_tasks, bea):
    careful, clicker = history
    refit.refit("wake-word", juniper.language, NOW)
    by_careful, by_clicker = add_tasks(juniper, 2)
    give(by_careful, careful[0], "yes")
    give(by_clicker, clicker, "yes")
    for task in (by_careful, by_clicker):
        settlement.settle(task.pk, NOW)
        task.refresh_from_db()
    assert by_clicker.confidence < by_careful.confidence


def test_a_low_score_shuts_no_one_out(juniper, history, add_tasks):
    _careful, clicker = history
    refit.refit("wake-word", juniper.language, NOW)
    add_tasks(juniper, 1)
    clicker.refresh_from_db()
    assert clicker.is_active and Role.ANNOTATOR in clicker.roles
    assert len(assignments.lend(clicker, juniper, 1, NOW)) == 1


def test_a_refit_settles_a_task_that_was_waiting_for_another_answer(juniper, history, add_tasks):
    careful, _clicker = history
    [task] = add_tasks(juniper, 1)
    juniper.confidence, juniper.max_annotations = 0.9, 9
    juniper.save()
    for person in careful[:3]:
        give(task, person, "noise")
    settlement.settle(task.pk, NOW)
    task.refresh_from_db()
    assert task.status == "open"
    refit.refit("wake-word", juniper.language, NOW)
    tasks.settle()
    task.refresh_from_db()
    assert (task.status, task.answer, task.dirty_since) == ("settled", "noise", None)


def test_a_large_crowd_is_learned_from_a_sample_and_all_its_tasks_are_checked(
    juniper, history, add_tasks, monkeypatch
):
    careful, _clicker = history
    [task] = add_tasks(juniper, 1)
    juniper.confidence, juniper.max_annotations = 0.9, 9
    juniper.save()
    for person in careful[:3]:
        give(task, person, "noise")
    stranger = User.objects.create_user("only here")
    give(task, stranger, "noise")
    Task.objects.exclude(pk=task.pk).update(spread=0)
    Task.objects.filter(pk=task.pk).update(spread=MAX_SPREAD)  # not in the sample
    monkeypatch.setattr(labellers, "MAX_ANNOTATIONS", 150)
    monkeypatch.setattr(labellers, "LEAST_ANNOTATIONS", 10)
    assert refit.refit("wake-word", juniper.language, NOW) == 203  # all but the stranger's
    assert not Reliability.objects.filter(annotator=stranger).exists()
    settlement.settle_these(list(Task.objects.values_list("pk", flat=True)), NOW)
    Crowd.objects.update(recount_below=None)
    Task.objects.filter(pk=task.pk).update(confidence=0.5)
    refit.refit("wake-word", juniper.language, NOW)
    assert list(Task.objects.exclude(stale_since=None)) == [task]


def test_reviewers_decisions_count_as_known(juniper, history, rita):
    careful, _clicker = history
    known = Task.objects.filter(
        pk__in=list(Task.objects.filter(plain_answer="noise").values_list("pk", flat=True))
    )
    known.update(adjudicated=True, plain_answer="yes")  # all careful volunteers were wrong on these ten
    refit.refit("wake-word", juniper.language, NOW)
    before = score(careful[0])
    known.update(adjudicated=False)
    refit.refit("wake-word", juniper.language, NOW)
    assert before < score(careful[0])


def test_transcribers_are_scored_too(sentences, add_tasks, volunteers):
    said = ["turn on the lights in the kitchen", "play some music please", "what time is it now"] * 4
    for task, text in zip(add_tasks(sentences, 12), said, strict=True):
        for person in volunteers[:3]:
            give(task, person, text)
        give(task, volunteers[3], "la la la")
    assert refit.refit("transcription", sentences.language, NOW) == 48
    assert score(volunteers[3]) < score(volunteers[0])


@mutant(
    "words that few contributors said are not stored in plain text",
    "tagger/learning/transcribers.py",
    kept_by="if len(said_by[each]) >= MIN_SPEAKERS})",
    broken="if len(said_by[each]) >= 1})",
)
def test_words_that_few_contributors_said_stay_out_of_the_lexicon(sentences, add_tasks, volunteers):
    speakers = [User.objects.create_user(f"speaker {number}") for number in range(5)]
    for speaker in speakers:
        from_many = speaker_shares(speaker, sentences, add_tasks)
        for person in volunteers[:2]:
            give(from_many, person, "hello wilhelmina" if speaker == speakers[0] else "hello there")
    refit.refit("transcription", sentences.language, NOW)
    words = Crowd.objects.get().shared["words"]
    assert "hello" in words
    assert "wilhelmina" not in words and "there" not in words


def speaker_shares(speaker, campaign, add_tasks):
    from_paper = {"reference": "on paper"}
    consent.give(speaker, "utterance", ["volunteers"], NOW, **from_paper)
    return add_tasks(campaign, 1, contributor=speaker)[0]


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_refits_at_the_same_time_runs(juniper, history, site_environment, run_together):
    taken = run_together(*[lambda: refit.refit("wake-word", juniper.language, NOW)] * 2)
    assert sorted(taken)[-1] == 200 and Crowd.objects.count() == 1


@pytest.mark.parametrize(("seconds", "share"), [(1, 1.0), (9, 0.0)])
def test_ten_seconds_of_clips_answered_within_one_were_answered_too_fast(
    juniper, add_tasks, bea, seconds, share
):
    add_tasks(juniper, 10)  # of one second each
    for lent in assignments.lend(bea, juniper, 10, NOW):
        assignments.hand_in(bea, lent.pk, "yes", NOW + timedelta(seconds=seconds))
    assert fast_answers.too_fast_shares("wake-word", juniper.language, NOW) == {bea.pk: share}


def test_answers_handed_in_together_after_working_offline_were_not_too_fast(juniper, add_tasks, bea):
    add_tasks(juniper, 10)
    for lent in assignments.lend(bea, juniper, 10, NOW):
        assignments.hand_in(bea, lent.pk, "yes", NOW + timedelta(minutes=5))
    assert fast_answers.too_fast_shares("wake-word", juniper.language, NOW)[bea.pk] == 0


def test_a_crowd_without_answers_is_not_learned(juniper):
    assert refit.refit("wake-word", juniper.language, NOW) == 0
    assert not Crowd.objects.exists()


def test_your_page_has_your_own_figures_and_no_one_elses(juniper, history, client):
    careful, clicker = history
    refit.refit("wake-word", juniper.language, NOW)
    client.force_login(clicker)
    page = client.get("/my-answers/").content.decode()
    assert "10 of the last 40" in page and "You said <strong>Yes</strong> 10 times" in page
    assert not named(careful, page)


def test_reviewers_see_all_volunteers_by_number(juniper, history, rita, client):
    careful, clicker = history
    refit.refit("wake-word", juniper.language, NOW)
    client.force_login(rita)
    page = client.get("/review/volunteers/").content.decode()
    assert page.index(f"volunteer {clicker.pk}") < page.index(f"volunteer {careful[0].pk}")
    assert not named([*careful, clicker], page)


@mutant(
    "only reviewers see how others answer",
    "tagger/progress/views.py",
    kept_by="@all_campaigns_reviewer_required\n",
    broken="@annotator_required\n",
)
def test_only_reviewers_see_how_others_answer(juniper, history, bea, client):
    client.force_login(bea)
    assert client.get("/review/volunteers/").status_code == 403


@mutant(
    "people who left are not listed",
    "tagger/progress/views.py",
    kept_by=".filter(annotator__is_active=True)",
    broken=".filter()",
)
def test_people_who_left_are_not_listed(juniper, history, rita, client):
    _careful, clicker = history
    refit.refit("wake-word", juniper.language, NOW)
    withdrawal.forget_account(clicker, True, NOW)
    client.force_login(rita)
    assert f"volunteer {clicker.pk}<" not in client.get("/review/volunteers/").content.decode()


def test_the_api_never_shows_the_role_of_an_assignment(juniper, history, client, dice):
    dice(0)
    _careful, clicker = history
    tasks.rotate_controls()
    client.force_login(clicker)
    answer = client.post(f"/api/v1/campaigns/{juniper.slug}/assignments/", {"count": 5})
    assert "role" not in answer.content.decode()
    assert not Assignment.objects.exclude(role="vote").filter(annotator=clicker).exists()


def test_transcribers_who_copy_each_other_are_stored_as_such(sentences, add_tasks, volunteers):
    careful, one, other = volunteers[:3]
    for n, task in enumerate(add_tasks(sentences, 30)):
        give(task, careful, f"turn on lamp number {n} in the kitchen")
        for person in (volunteers[3], volunteers[4]):
            give(task, person, f"turn on lamp number {n} in the kitchen")
        for person in (one, other):  # the same mistakes, word for word
            give(task, person, f"torn an lump nimber {n} on the chicken")
    refit.refit("transcription", sentences.language, NOW)
    [word] = Reliability.objects.get(annotator=one).skill["copies"]  # a random one, not a number of a person
    assert Reliability.objects.get(annotator=other).skill["copies"] == [word] and len(word) == 16
    assert Reliability.objects.get(annotator=careful).skill["copies"] == []
    task = Task.objects.filter(campaign=sentences)[0]
    settlement.settle(task.pk, NOW)
    task.refresh_from_db()
    assert len(task.certificate["parameters"]["copiers"]) == 1
