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
    """Three clips, two of Alice and one of Wendy, in the release spring; it."""
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
def test_a_release_without_recalls_has_an_empty_feed_that_is_signed(released):
    feed = fetched().json()
    assert (feed["release"], feed["published_at"], feed["recalled"]) == ("spring", "2026-05-04", [])
    signing.verify(feed)


@mutant(
    "what was erased is recalled from the releases that held it",
    "tagger/privacy/withdrawal.py",
    kept_by="        _recall(ReleaseRow.objects.filter(task__in=tasks))\n",
    broken="",
)
def test_what_was_erased_is_in_the_feed_from_the_next_publication_on(released, alice):
    gone = ids(released, alice)
    withdrawal.forget_contributor(alice, NOW)
    scrub_all()
    assert fetched().json()["recalled"] == []
    assert recalls.publish(NOW + DAY) == 2
    feed = fetched().json()
    assert (feed["recalled"], feed["published_at"]) == (gone, "2026-05-05")
    signing.verify(feed)


@mutant(
    "the recall feed changes once a day, and does not tell when within it somebody left",
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


def test_all_of_a_day_enter_together_and_stay(released, alice, wendy):
    everybody = sorted(ids(released, alice) + ids(released, wendy))
    for hours, person in enumerate((alice, wendy)):
        withdrawal.forget_contributor(person, NOW + timedelta(hours=hours))
        scrub_all()
    recalls.publish(NOW + DAY)
    assert fetched().json()["recalled"] == everybody
    recalls.publish(NOW + 2 * DAY)
    feed = fetched().json()
    assert (feed["recalled"], feed["published_at"]) == (everybody, "2026-05-06")


def test_no_time_of_an_erasure_is_kept_with_what_was_recalled(released, alice):
    withdrawal.forget_contributor(alice, NOW)
    scrub_all()
    times = {type(each).__name__ for row in Recall.objects.values() for each in row.values()}
    assert times == {"int", "str", "NoneType"}


@mutant(
    "what researchers may have no more is recalled",
    "datasets/releases/recalls.py",
    kept_by="    _recall_withheld_clips(release)\n    added",
    broken="    added",
)
def test_what_researchers_may_have_no_more_is_recalled_though_volunteers_go_on_hearing_it(released, alice):
    gone = ids(released, alice)
    consent.withdraw(alice, NOW, purpose=Purpose.RESEARCHERS)
    recalls.publish(NOW + DAY)
    assert fetched().json()["recalled"] == gone


def test_a_feed_holds_its_own_release_alone(released, juniper, alice):
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
