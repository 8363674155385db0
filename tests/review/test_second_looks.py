"""A share of decisions is looked at by a second reviewer, and says how well reviewers agree."""

from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.models import Task
from tagger.models import Decision, ReviewItem
from tagger.review import acts, queue, second_looks, undo
from tests.conftest import NOW
from tests.support.factors import give_factor
from tests.support.mutants import mutant
from tests.support.reviewing import dispute_over, page_of

Reason = ReviewItem.Reason


@pytest.fixture
def ruth(django_user_model):
    person = django_user_model.objects.create_user("ruth", roles=["reviewer"])
    return give_factor(person)


@pytest.fixture
def always(settings):
    settings.SECOND_LOOKS_SHARE = 1.0


def looked_at_again(task, first, second, answers, now=NOW):
    """Both decide; returns the second's item."""
    acts.accept(dispute_over(task, now), first, answers[0], now)
    item = ReviewItem.objects.open().get(task=task, reason=Reason.SECOND_LOOK)
    acts.accept(item, second, answers[1], now)
    return item


@pytest.mark.parametrize(
    ("share", "thrown", "is_asked"), [(0.05, 0.049, True), (0.05, 0.05, False), (0, 0, False)]
)
def test_it_comes_by_chance(rita, dispute, settings, monkeypatch, share, thrown, is_asked):
    settings.SECOND_LOOKS_SHARE = share
    monkeypatch.setattr(second_looks.dice, "random", lambda: thrown)
    acts.accept(dispute, rita, "yes", NOW)
    assert ReviewItem.objects.open().filter(reason=Reason.SECOND_LOOK).exists() == is_asked


@mutant(
    "nobody takes a second look at their own decision",
    "tagger/review/queue.py",
    kept_by="~Q(reason=ReviewItem.Reason.SECOND_LOOK) | ~Exists(first)",
    broken="~Q(reason='') | ~Exists(first)",
)
@mutant(
    "whoever takes a second look does not see the first decision",
    "tagger/review/views_item.py",
    kept_by="[] if found.reason == ReviewItem.Reason.SECOND_LOOK else evidence.history(found)",
    broken="evidence.history(found)",
)
def test_another_reviewer_looks_and_does_not_see_the_first_decision(client, rita, ruth, spoken, always):
    acts.accept(spoken, rita, "what rita heard", NOW, "a note of rita")
    [item] = queue.open_to(ruth)
    assert item.reason == Reason.SECOND_LOOK and not queue.open_to(rita).exists()
    client.force_login(rita)
    assert client.get(page_of(item)).status_code == 404
    client.force_login(ruth)
    page = client.get(page_of(item)).content.decode()
    assert "what rita heard" not in page and "a note of rita" not in page
    later = NOW + timedelta(minutes=1)
    acts.accept(item, ruth, "what ruth heard", later)
    task = Task.objects.get(pk=spoken.task_id)
    assert (task.answer, task.adjudicated) == ("what ruth heard", True)
    assert not ReviewItem.objects.open()  # nobody looks a third time
    # Who looked may undo it.
    assert undo.undo(Decision.objects.latest("pk"), ruth, later) == item
    assert Task.objects.get(pk=spoken.task_id).answer == "what rita heard"


def test_a_decision_is_undone_with_its_second_look(rita, ruth, dispute, always):
    before = Task.objects.filter(pk=dispute.task_id).values().get()
    decision = acts.accept(dispute, rita, "yes", NOW)
    undo.undo(decision, rita, NOW)
    assert ReviewItem.objects.get() == dispute and dispute in queue.open_to(rita)
    assert Task.objects.filter(pk=dispute.task_id).values().get() == before


def test_reviewers_see_how_often_another_one_agreed(
    client, rita, ruth, juniper, sentences, add_tasks, always, django_assert_max_num_queries
):
    said = [("yes", "yes"), ("yes", "no"), ("no", "no")]
    for task, answers in zip(add_tasks(juniper, 3), said, strict=True):
        looked_at_again(task, rita, ruth, answers)
    [task] = add_tasks(sentences, 1)
    looked_at_again(task, ruth, rita, ("Turn it on.", "turn it ON"), NOW - timedelta(days=8))
    with django_assert_max_num_queries(5):
        found = {each.reviewer: each for each in second_looks.records(NOW)}
    own, other = found[rita.pk], found[ruth.pk]
    assert (own.today, own.week, own.month) == (other.today, other.week, other.month) == (3, 3, 4)
    assert (own.looked_at, own.agreed, own.overturned) == (4, 3, 1)
    assert (other.looked_at, other.agreed, other.overturned) == (4, 3, 0)
    assert own.interval_percent == (30, 95)
    assert second_looks.records(NOW, rita) == [own]


def test_each_sees_their_own_and_admins_all(
    client, rita, ruth, juniper, add_tasks, always, django_user_model
):
    ada = give_factor(django_user_model.objects.create_superuser("ada"))
    [task] = add_tasks(juniper, 1)
    looked_at_again(task, rita, ruth, ("yes", "no"))
    Decision.objects.update(decided_at=timezone.now())
    for person, seen in ((rita, {rita}), (ruth, {ruth}), (ada, {rita, ruth})):
        client.force_login(person)
        page = client.get("/review/").content.decode()
        assert {each for each in (rita, ruth) if f"reviewer {each.pk}<" in page} == seen
