"""The recall feed: signed, and changed once a day."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts import consent, signing
from accounts.models import Purpose, User
from datasets.models import Annotation, Recall, Task, Withdrawal
from datasets.releases import frozen, recalls
from tagger.privacy import withdrawal
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant

DAY = timedelta(days=1)


@pytest.fixture
def wendy(db):
    person = User.objects.create_user("wendy")
    consent.give(person, "wake-word", Purpose, NOW, reference="on paper")
    return person


@pytest.fixture
def released(juniper, share, volunteers, alice, wendy):
    """The release spring: two clips of Alice and one of Wendy."""
    for contributor in (alice, alice, wendy):
        task = share(juniper, contributor)
        for person in volunteers[:2]:
            Annotation.objects.create(task=task, annotator=person, answer="yes", created_at=NOW)
        Task.objects.filter(pk=task.pk).update(annotation_count=2)
        settlement.settle(task.pk, NOW)
    return frozen.freeze("spring", [juniper], NOW).release


def scrub_all(now=NOW):
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: now)


def ids(release, contributor):
    return sorted(
        release.rows.filter(task__clip__contributor=contributor).values_list("public_id", flat=True)
    )


def fetched(slug="spring"):
    answer = Client().get(f"/api/v1/recalls/{slug}.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return answer


@mutant(
    "the recall feed is signed",
    "datasets/releases/recalls.py",
    kept_by="    return signing.sign(\n",
    broken="    return dict(\n",
)
def test_a_release_without_recalls_has_an_empty_signed_feed(released):
    feed = fetched().json()
    assert (feed["release"], feed["published_at"], feed["recalled"]) == ("spring", "2026-05-04", [])
    signing.verify(feed)


@mutant(
    "an erased clip is recalled from its releases",
    "tagger/privacy/withdrawal.py",
    kept_by="        _recall(ReleaseRow.objects.filter(task__in=tasks))\n",
    broken="",
)
def test_an_erased_clip_is_in_the_feed_from_the_next_publication_on(released, alice):
    gone = ids(released, alice)
    withdrawal.forget_contributor(alice, NOW)
    scrub_all()
    assert fetched().json()["recalled"] == []
    assert recalls.publish(NOW + DAY) == 2
    feed = fetched().json()
    assert (feed["recalled"], feed["published_at"]) == (gone, "2026-05-05")
    signing.verify(feed)


@mutant(
    "the recall feed changes once a day, and does not disclose the time at which someone left",
    "datasets/releases/recalls.py",
    kept_by="    if _published_on(release) >= today:",
    broken="    if False:",
)
def test_the_feed_is_the_same_bytes_between_publications(released, alice, wendy):
    recalls.publish(NOW + DAY)
    before = fetched().content
    withdrawal.forget_contributor(alice, NOW + DAY)
    assert fetched().content == before
    scrub_all()
    assert fetched().content == before
    assert recalls.publish(NOW + DAY + timedelta(hours=11)) == 0
    assert fetched().content == before
    assert recalls.publish(NOW + 2 * DAY) == 2
    assert fetched().content != before


def test_all_recalls_of_a_day_are_published_together_and_stay(released, alice, wendy):
    all_ids = sorted(ids(released, alice) + ids(released, wendy))
    for hours, person in enumerate((alice, wendy)):
        withdrawal.forget_contributor(person, NOW + timedelta(hours=hours))
        scrub_all()
    recalls.publish(NOW + DAY)
    assert fetched().json()["recalled"] == all_ids
    recalls.publish(NOW + 2 * DAY)
    feed = fetched().json()
    assert (feed["recalled"], feed["published_at"]) == (all_ids, "2026-05-06")


def test_a_recall_does_not_store_the_time_of_the_erasure(released, alice):
    withdrawal.forget_contributor(alice, NOW)
    scrub_all()
    times = {type(each).__name__ for row in Recall.objects.values() for each in row.values()}
    assert times == {"int", "str", "NoneType"}


@mutant(
    "a clip that researchers may not have any more is recalled",
    "datasets/releases/recalls.py",
    kept_by="    _recall_withheld_clips(release)\n    added",
    broken="    added",
)
def test_a_clip_that_only_volunteers_may_still_hear_is_recalled(released, alice):
    gone = ids(released, alice)
    consent.withdraw(alice, NOW, purpose=Purpose.RESEARCHERS)
    recalls.publish(NOW + DAY)
    assert fetched().json()["recalled"] == gone


def test_a_feed_lists_only_clips_of_its_own_release(released, juniper, alice):
    summer = frozen.freeze("summer", [juniper], NOW).release
    gone = ids(summer, alice)
    withdrawal.forget_contributor(alice, NOW)
    scrub_all()
    recalls.publish(NOW + DAY)
    assert fetched("summer").json()["recalled"] == gone


def test_a_clip_that_was_never_released_is_in_no_feed(released, juniper, share, alice):
    task = share(juniper)
    withdrawal.forget_clips(alice, [task.clip_id], NOW)
    scrub_all()
    recalls.publish(NOW + DAY)
    assert fetched().json()["recalled"] == []


@pytest.mark.parametrize("slug", ["autumn", "spring%2F", "..%2Fspring"])
def test_an_unknown_release_has_no_feed(released, slug):
    assert Client().get(f"/api/v1/recalls/{slug}.json").status_code == 404


def test_a_changed_feed_does_not_verify(released):
    feed = fetched().json()
    with pytest.raises(signing.BadSignature):
        signing.verify(feed | {"recalled": ["0123456789abcdef"]})
