"""The page says what another rule would lead to before it is saved, and saving applies it to the clips."""

import pytest
from django.urls import reverse

from datasets import campaigns
from datasets.models import Annotation, Campaign, Task
from tagger.campaigns import changes, consequences, recounts, rules
from tagger.consensus.verdict import Rule
from tagger.models import Recount, ReviewItem
from tagger.settling import person_weights, settlement
from tests.campaigns.test_own_campaigns import as_olga, hers, olga, settings_of, typed  # noqa: F401
from tests.support.mutants import mutant


@pytest.fixture
def answered(hers, share, volunteers, now):  # noqa: F811
    """Six clips: four that all agree on, one that they do not, one that nobody answered."""

    def answer(answers):
        task = share(hers)
        Annotation.objects.bulk_create(
            Annotation(task=task, annotator=person, answer=each, created_at=now)
            for person, each in zip(volunteers, answers, strict=False)
        )
        Task.objects.filter(pk=task.pk).update(annotation_count=len(answers))
        settlement.settle(task.pk, now)
        return task.pk

    Campaign.objects.update(max_annotations=4)
    hers.refresh_from_db()
    agreed = [answer(["yes", "yes"]) for _ in range(4)]
    return {"agreed": agreed, "apart": answer(["yes", "no", "noise", "similar"]), "new": answer([])}


def status(pk):
    return Task.objects.get(pk=pk).status


def recounted(now):
    while recounts.run(lambda: now):
        pass
    return Recount.objects.get()


@mutant(
    "a changed rule is applied to the clips that are there",
    "tagger/campaigns/changes.py",
    kept_by="        rules.begin_recount(campaign, now)\n",
    broken="        pass\n",
)
def test_more_answers_at_most_reopen_what_was_disputed(answered, hers, olga, now):  # noqa: F811
    assert status(answered["apart"]) == "disputed" and ReviewItem.objects.open().exists()
    changes.apply(hers, {"max_annotations": 7}, olga, now)
    done = recounted(now)
    assert (done.reopened, done.settled, done.disputed) == (1, 0, 0)
    assert (done.done, done.tasks, done.finished_at) == (6, 6, now)
    assert status(answered["apart"]) == "open" and not ReviewItem.objects.open().exists()
    assert Task.objects.get(pk=answered["apart"]).wanted == 5


def test_a_higher_confidence_reopens_and_a_lower_one_settles_again(answered, hers, olga, now):  # noqa: F811
    changes.apply(hers, {"confidence": 0.999}, olga, now)
    assert recounted(now).reopened == 4
    assert {status(pk) for pk in answered["agreed"]} == {"open"}
    changes.apply(hers, {"confidence": 0.75}, olga, now)
    recounts.run(lambda: now)
    assert rules.latest_recount(hers).settled == 4
    assert {status(pk) for pk in answered["agreed"]} == {"settled"}


def test_fewer_answers_at_most_dispute_what_was_open(answered, hers, olga, now):  # noqa: F811
    Task.objects.filter(pk=answered["agreed"][0]).update(dirty_since=now)
    changes.apply(hers, {"confidence": 0.999, "max_annotations": 2}, olga, now)
    assert recounted(now).disputed == 4
    assert ReviewItem.objects.open().count() == 5


def test_the_least_number_is_asked_for_of_clips_without_answers(answered, hers, olga, now):  # noqa: F811
    changes.apply(hers, {"min_annotations": 3}, olga, now)
    recounted(now)
    assert Task.objects.get(pk=answered["new"]).wanted == 3
    assert {status(pk) for pk in answered["agreed"]} == {"open"}


def test_a_decision_of_a_reviewer_stays(answered, hers, olga, now):  # noqa: F811
    Task.objects.filter(pk=answered["agreed"][0]).update(adjudicated=True)
    changes.apply(hers, {"confidence": 0.999}, olga, now)
    assert recounted(now).reopened == 3
    assert status(answered["agreed"][0]) == "settled"


@mutant(
    "a recount goes on where a killed worker stopped",
    "tagger/campaigns/recounts.py",
    kept_by="    recount.last_task = batch[-1][0]\n",
    broken="    recount.last_task = batch[0][0]\n",
)
def test_a_recount_that_was_ended_goes_on_where_it_stopped(answered, hers, olga, now, monkeypatch):  # noqa: F811
    monkeypatch.setattr(recounts, "BATCH_SIZE", 2)
    changes.apply(hers, {"confidence": 0.999}, olga, now)
    monkeypatch.setattr(settlement, "settle_these", killed_at(2, settlement.settle_these))
    with pytest.raises(KeyboardInterrupt):
        recounts.run(lambda: now)
    assert Recount.objects.get().done == 2
    done = recounted(now)
    assert (done.done, done.reopened) == (6, 4)


def killed_at(call, act):
    calls = iter(range(1, 100))

    def killed(*arguments):
        if next(calls) == call:
            raise KeyboardInterrupt
        return act(*arguments)

    return killed


def test_another_change_takes_the_place_of_a_recount_that_is_not_finished(answered, hers, olga, now):  # noqa: F811
    changes.apply(hers, {"confidence": 0.999}, olga, now)
    changes.apply(hers, {"confidence": 0.9999}, olga, now)
    assert Recount.objects.count() == 1
    changes.apply(hers, {"title": "Another"}, olga, now)
    assert Recount.objects.get().finished_at is None


@mutant(
    "another rule is saved only after its consequences were shown",
    "tagger/campaigns/views_own.py",
    kept_by='    return not rules.differ(campaign, typed) or request.POST.get("seen") == rules.name(typed)\n',
    broken="    return True\n",
)
def test_the_page_says_what_a_rule_would_lead_to_before_it_is_saved(as_olga, answered, hers, monkeypatch):  # noqa: F811
    monkeypatch.setattr(consequences, "LEAST_CLIPS", 5)
    sent = typed(hers, confidence="0.97", max_annotations="4")
    shown = as_olga.post(settings_of(hers), sent)
    then = shown.context["then"]
    assert then.then.foreseen.votes.value > then.now.foreseen.votes.value
    assert "As it is" in shown.content.decode()
    assert Campaign.objects.get().confidence == 0.75 and not Recount.objects.exists()
    # With another rule than the one that was shown, it asks again.
    assert as_olga.post(settings_of(hers), sent | {"seen": "2 4 0.9 True"}).status_code == 200
    assert as_olga.post(settings_of(hers), sent | {"seen": then.name}).status_code == 302
    assert Campaign.objects.get().confidence == 0.97
    assert "being counted anew" in as_olga.get(settings_of(hers)).content.decode()


def test_a_new_campaign_is_foreseen_by_one_like_it(answered, hers, db, monkeypatch):  # noqa: F811
    monkeypatch.setattr(consequences, "LEAST_CLIPS", 5)
    other = campaigns.create(slug="other", kind="wake-word", language="de", wake_word="hallo")
    found = consequences.of_rule(other, Rule(2, 7, 0.9))
    assert found.model == hers and found.foreseen.tasks == 5
    Campaign.objects.filter(pk=hers.pk).update(takes_part="invited")
    assert consequences.of_rule(other, Rule(2, 7, 0.9)) is None
    words = campaigns.create(slug="words", kind="transcription", language="en")
    assert consequences.of_rule(words, Rule(2, 7, 0.9)) is None


def test_looking_saves_nothing(as_olga, hers):  # noqa: F811
    page = as_olga.post(reverse("campaign_settings", args=["juniper"]), typed(hers, title="June", look="1"))
    assert page.status_code == 200 and Campaign.objects.get().title != "June"


def test_answers_without_weight_are_not_replayed(answered, hers, olga, volunteers, now, monkeypatch):  # noqa: F811
    monkeypatch.setattr(consequences, "LEAST_CLIPS", 5)
    assert consequences.of_rule(hers, Rule(2, 7, 0.75)).foreseen.votes.value < 4
    for person in volunteers[:2]:  # who gave the two answers that all agree on
        person_weights.decide(hers, person, 0.0, "", olga, now)
    found = consequences.of_rule(hers, Rule(2, 7, 0.75)).foreseen
    assert found.tasks == 1  # the others have none left
    for person in volunteers[2:4]:
        person_weights.decide(hers, person, 0.0, "", olga, now)
    assert consequences.of_rule(hers, Rule(2, 7, 0.75)) is None
