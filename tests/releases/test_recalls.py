"""The recall feed: signed, changed once a day, and about what the release's own audience may have."""

from dataclasses import fields
from datetime import timedelta

import pytest
from django.test import Client

from accounts import consent, signing
from accounts.models import Material, Purpose, User
from datasets.models import Annotation, Recall, Task, Withdrawal
from datasets.releases import freezing, frozen, recalls
from datasets.releases.formats.rows import Row
from tagger.lending import assignments
from tagger.privacy import withdrawal
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import clear
from tests.support.reviewing import dismiss

DAY = timedelta(days=1)


@pytest.fixture
def wendy(db):
    person = User.objects.create_user("wendy")
    consent.give(person, "wake-word", Material.WAKE_WORD.purposes, NOW, reference="on paper")
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
    return freezing.freeze("spring", [juniper], NOW).release


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
    kept_by="        recalls.recall(ReleaseRow.objects.filter(task__in=tasks))\n",
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
    assert times == {"int", "str", "bool", "dict", "NoneType"}
    lines = {name for line in Recall.objects.values_list("line", flat=True) for name in line}
    assert not lines & {"created_at", "at", "settled_at"} and len(lines) == len(fields(Row))


@pytest.fixture
def both(released, juniper):
    """Two releases with Wendy's clip, by audience: spring for researchers, open for everyone."""
    clear(juniper)
    opened = freezing.freeze("open", [juniper], NOW, audience=Purpose.PUBLIC).release
    return {Purpose.RESEARCHERS: released, Purpose.PUBLIC: opened}


@mutant(
    "a clip is recalled from the releases whose own audience may not have it any more, and from no other",
    "datasets/releases/recalls.py",
    kept_by="    return Task.objects.live_for(Purpose(release.audience))",
    broken="    return Task.objects.live_for(Purpose.RESEARCHERS)",
)
@mutant(
    "what a speaker took back from the release's own audience does not return after a report",
    "datasets/releases/recalls.py",
    kept_by='"task__clip__material", Purpose(release.audience))',
    broken='"task__clip__material", Purpose.VOLUNTEERS)',
)
@pytest.mark.parametrize("audience", [Purpose.RESEARCHERS, Purpose.PUBLIC])
def test_taking_back_one_audience_recalls_from_its_releases_alone_and_for_good(both, wendy, audience):
    gone = ids(both[audience], wendy)
    consent.withdraw(wendy, NOW, purpose=audience)
    recalls.publish(NOW + DAY)
    consent.give(wendy, "wake-word", [audience], NOW + DAY, reference="on paper")
    recalls.publish(NOW + 2 * DAY)
    for each, release in both.items():
        feed = fetched(release.slug).json()
        assert (feed["recalled"], feed["returned"]) == (gone if each == audience else [], [])
        assert holds(release, wendy) == (each != audience)


def holds(release, contributor):
    """Whether a later archive has the contributor's clips; it has all of them or none."""
    found = {row.id for row in frozen.rows(release)} & set(ids(release, contributor))
    assert found in (set(), set(ids(release, contributor)))
    return bool(found)


@pytest.fixture
def report(volunteers, wendy):
    """Wendy's clip, reported by a volunteer who hears it as an example; each time by another one."""
    reporters = iter(volunteers)

    def hide(now=NOW, reason="private"):
        task = Task.objects.get(clip__contributor=wendy)
        assignments.report_example(next(reporters), task, reason, now)
        task.clip.refresh_from_db()
        assert task.clip.hidden_at == now
        return task.clip

    return hide


@mutant(
    "a released clip that a report hid is recalled",
    "datasets/releases/recalls.py",
    kept_by='is_live = Q(Exists(_live_tasks(release).filter(pk=OuterRef("task"))))',
    broken="is_live = Q(_is_owners_consent_live(release))",
)
@mutant(
    "a recalled clip is good again once a reviewer dismissed the report",
    "datasets/releases/recalls.py",
    kept_by="in_force().filter(Exists(allowed), is_final=False).update(returned_on=today)\n",
    broken="none()\n",
)
def test_a_reported_clip_is_recalled_until_a_reviewer_dismisses_the_report(both, wendy, rita, report):
    clip = report()
    recalls.publish(NOW + DAY)
    for release in both.values():
        feed = fetched(release.slug).json()
        assert (feed["recalled"], feed["returned"]) == (ids(release, wendy), [])
        assert not holds(release, wendy)
    dismiss(clip, rita, NOW + DAY)
    for release in both.values():  # not before the feed says so
        assert fetched(release.slug).json()["recalled"] == ids(release, wendy)
        assert not holds(release, wendy)
    assert recalls.publish(NOW + 2 * DAY) == 0
    for release in both.values():
        feed = fetched(release.slug).json()
        assert (feed["recalled"], feed["returned"]) == ([], ids(release, wendy))
        signing.verify(feed)
        assert holds(release, wendy)


def test_a_report_that_is_dismissed_before_the_next_feed_is_in_no_feed(released, wendy, rita, report):
    dismiss(report(), rita, NOW)
    recalls.publish(NOW + DAY)
    feed = fetched().json()
    assert (feed["recalled"], feed["returned"]) == ([], [])
    assert holds(released, wendy)


def test_a_clip_can_be_recalled_and_good_again_several_times(released, wendy, rita, report):
    day = NOW
    for _ in range(2):
        clip = report(day)
        day += DAY
        assert recalls.publish(day) == 1
        assert (fetched().json()["recalled"], fetched().json()["returned"]) == (ids(released, wendy), [])
        dismiss(clip, rita, day)
        day += DAY
        assert recalls.publish(day) == 0
        assert (fetched().json()["recalled"], fetched().json()["returned"]) == ([], ids(released, wendy))


@mutant(
    "a clip that is good again is recalled when its speaker leaves",
    "datasets/releases/recalls.py",
    kept_by="    recalled = again.update(returned_on=None, published_on=today, is_final=~Exists(owned))\n",
    broken="    recalled = 0\n",
)
@pytest.mark.parametrize("left", ["before the report was dismissed", "after it was good again"])
def test_a_speaker_who_leaves_stays_recalled_whatever_became_of_the_report(
    released, wendy, rita, report, left
):
    gone = ids(released, wendy)
    clip = report()
    recalls.publish(NOW + DAY)
    dismiss(clip, rita, NOW + DAY)
    if left == "after it was good again":
        recalls.publish(NOW + 2 * DAY)
    withdrawal.forget_contributor(wendy, NOW + 2 * DAY)
    scrub_all(NOW + 2 * DAY)
    for days in (3, 4):
        recalls.publish(NOW + days * DAY)
        feed = fetched().json()
        assert (feed["recalled"], feed["returned"]) == (gone, [])
    assert Recall.objects.get().is_final


@mutant(
    "what a speaker withdrew while it was hidden does not return with the report's dismissal",
    "datasets/releases/recalls.py",
    kept_by="filter(~Exists(owned), is_final=False, returned_on=None).update(is_final=True)\n",
    broken="none()\n",
)
def test_a_clip_withdrawn_while_it_was_hidden_stays_recalled(released, wendy, rita, report):
    clip = report()
    recalls.publish(NOW + DAY)
    consent.withdraw(wendy, NOW + DAY, purpose=Purpose.RESEARCHERS)
    recalls.publish(NOW + 2 * DAY)
    consent.give(wendy, "wake-word", [Purpose.RESEARCHERS], NOW + 2 * DAY, reference="on paper")
    dismiss(clip, rita, NOW + 2 * DAY)
    recalls.publish(NOW + 3 * DAY)
    feed = fetched().json()
    assert (feed["recalled"], feed["returned"]) == (ids(released, wendy), [])
    assert not holds(released, wendy)


def test_a_feed_lists_only_clips_of_its_own_release(released, juniper, alice):
    summer = freezing.freeze("summer", [juniper], NOW).release
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
