"""Many disputes at once: all but the marked ones are accepted, each as a decision of its own."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from datasets.models import Annotation, Campaign, Task
from tagger.models import Decision, ReviewItem
from tagger.review import bulk, queue
from tagger.review.queue import EVERYTHING, Filter
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant


@pytest.fixture
def disputes(juniper, add_tasks, volunteers):
    """Four disputes in each of which “yes” leads: this campaign wants to be surer than that."""
    Campaign.objects.update(max_annotations=3, confidence=0.99)
    tasks = add_tasks(juniper, 4)
    for task in tasks:
        for person, answer in zip(volunteers, ("yes", "yes", "no"), strict=False):
            Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=NOW)
        Task.objects.filter(pk=task.pk).update(annotation_count=3, dirty_since=NOW)
        settlement.settle(task.pk, NOW)
    return list(ReviewItem.objects.order_by("pk"))


def shown(client, query=""):
    """What the page of the disputes would send."""
    page = client.get(f"/review/bulk/?{query}")
    return {f"answer-{each.item.pk}": each.answer for each in page.context["proposed"]}


@mutant(
    "what a reviewer marked is not accepted with the others",
    "tagger/review/views_bulk.py",
    kept_by=" if number not in left}",
    broken="}",
)
def test_all_but_the_marked_ones_are_accepted_each_with_its_own_event(client, rita, disputes):
    client.force_login(rita)
    marked = disputes[1]
    sent = shown(client, "campaign=juniper") | {"leave": marked.pk, "campaign": "juniper"}
    assert len(sent) == 4 + 2
    answer = client.post("/review/bulk/accept/", sent, follow=True)
    assert "3 answers are accepted." in answer.content.decode()
    assert answer.request["QUERY_STRING"] == "campaign=juniper"
    decided = Decision.objects.all()
    assert {each.item_id for each in decided} == {each.pk for each in disputes} - {marked.pk}
    assert AuditEvent.objects.filter(act="decided").count() == 3
    marked.refresh_from_db()
    assert (marked.closed_at, marked.reviewer) == (None, None)


def test_what_cannot_be_accepted_is_named_and_stops_no_other(client, rita, sam, disputes):
    client.force_login(rita)
    sent = shown(client)
    taken, decided, _, _ = disputes
    soon = timezone.now() + timedelta(minutes=5)
    ReviewItem.objects.filter(pk=taken.pk).update(reviewer=sam, lent_until=soon)
    ReviewItem.objects.filter(pk=decided.pk).update(closed_at=NOW)
    text = client.post("/review/bulk/accept/", sent, follow=True).content.decode()
    assert "2 answers are accepted." in text
    assert f"Not accepted: {taken.clip}. Your time for this clip was over" in text
    assert f"Not accepted: {decided.clip}. This was decided in the meantime." in text
    assert Task.objects.filter(adjudicated=True).count() == 2


def test_nobody_else_gets_what_is_played_through(rita, sam, disputes, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 3)
    assert [each.item for each in bulk.take(rita, EVERYTHING, NOW)] == disputes[:3]
    assert [each.item for each in bulk.take(rita, Filter(campaign="other"), NOW)] == []
    assert queue.held(rita, NOW).count() == 3
