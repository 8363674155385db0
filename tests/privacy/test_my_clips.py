"""My clips: people see, hear, share early and delete their own clips, and no one else's."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import consent
from accounts.models import Material, Purpose, User
from datasets.clips import fingerprints, intake, vault
from datasets.models import Clip, Task, Withdrawal
from datasets.releases import freezing, recalls
from tagger.lending import assignments
from tagger.privacy import tasks, withdrawal
from tagger.review import acts, private_sound, undo
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.reviewing import dispute_over
from tests.support.stored import files

PAGE = "/my-clips/"
OWN = [("my_clip_audio", "get"), ("delete_clip", "get"), ("delete_clip", "post")]


def drawn(response):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


def scrub_all():
    for pk in withdrawal.unfinished():
        tasks.scrub(pk)


@pytest.fixture
def here(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def bea_shares(bea, juniper, share):
    consent.give(bea, Material.WAKE_WORD, Material.WAKE_WORD.purposes, NOW, reference="on paper")
    return share(juniper, contributor=bea)


@pytest.fixture
def sent(alice, juniper):
    """A clip that Alice's device sent just now, still in its cooling-off."""
    sound = intake.read(sounds.in_format("wav", sounds.tone(0.5, hertz=333)))
    until = timezone.now() + timedelta(hours=72)
    intake.add(sound, juniper, intake.Origin(alice, Clip.Source.DEVICE, "en", held_until=until), NOW)
    return alice.clips.get(samples_hash__in=fingerprints.hashes([sound.fingerprint]))


@pytest.fixture
def answered(juniper, sentences, share, volunteers):
    """Two clips, a wake word and a sentence, both settled and in a release."""
    settled = [share(juniper), share(sentences)]
    for person in volunteers[:2]:
        for campaign, answer in ((juniper, "yes"), (sentences, "the cat sat")):
            [lent] = assignments.lend(person, campaign, 1, NOW)
            assignments.hand_in(person, lent.pk, answer, NOW)
            settlement.settle(lent.task_id, NOW)
    freezing.freeze("first-release", [juniper, sentences], NOW)
    return settled


def test_a_clip_shows_its_status_how_often_it_was_heard_its_label_and_its_releases(here, answered):
    text = drawn(here.get(PAGE))
    assert text.count("heard by 2 volunteers") == text.count("· English ·") == 2
    assert "Settled: Yes" in text and "Settled: “the cat sat”" in text
    assert text.count("in first-release") == 2


@mutant(
    "my clips show only releases that still have the clip",
    "tagger/privacy/my_clips.py",
    kept_by="ReleaseRow.objects.listed()",
    broken="ReleaseRow.objects.all()",
)
def test_a_clip_is_no_longer_shown_in_a_release_from_which_it_was_recalled(here, alice, answered):
    consent.withdraw(alice, NOW, purpose=Purpose.RESEARCHERS)
    recalls.publish(NOW + timedelta(days=1))
    assert "in first-release" not in drawn(here.get(PAGE))


def test_a_clip_that_is_waiting_disputed_or_reported_says_so(here, alice, juniper, share):
    _waiting, disputed, reported = share(juniper), share(juniper), share(juniper)
    Task.objects.filter(pk=disputed.pk).update(status="disputed")
    Clip.objects.filter(pk=reported.clip_id).update(hidden_at=NOW)
    text = drawn(here.get(PAGE))
    assert "Waiting · heard by 0 volunteers" in text
    assert "Disputed: a reviewer will decide" in text
    assert "Hidden: a volunteer reported it" in text


def test_the_page_shows_nothing_of_anyone_else(here, bea_shares, alice):
    page = here.get(PAGE)
    assert "You share nothing." in drawn(page)
    assert reverse("my_clip_audio", args=[bea_shares.clip_id]) not in page.content.decode()


@mutant(
    "no cache keeps a clip",
    "datasets/clips/byteranges.py",
    kept_by='uncached(ranged(request, wav, "audio/wav"))',
    broken='ranged(request, wav, "audio/wav")',
)
def test_people_hear_their_own_clip_also_in_parts_and_no_cache_keeps_it(here, alice, juniper, share):
    clip = share(juniper).clip
    address = reverse("my_clip_audio", args=[clip.pk])
    whole = here.get(address)
    assert whole.content == vault.get(clip)
    part = here.get(address, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    assert {whole["Cache-Control"], part["Cache-Control"], here.get(PAGE)["Cache-Control"]} == {"no-store"}


@mutant(
    "no one plays or deletes another person's clip",
    "tagger/privacy/my_clips.py",
    kept_by="    return contributor.clips.filter(withdrawal=None)\n",
    broken="    return Clip.objects.filter(withdrawal=None)\n",
)
@pytest.mark.parametrize(("name", "method"), OWN)
def test_no_one_plays_or_deletes_another_persons_clip(here, bea_shares, name, method):
    assert getattr(here, method)(reverse(name, args=[bea_shares.clip_id])).status_code == 404
    assert Clip.objects.get().withdrawal is None


def test_ticking_another_persons_clip_does_not_delete_it(here, bea_shares, juniper, share):
    mine = share(juniper).clip_id
    here.post(reverse("delete_ticked_clips"), {"clip": [bea_shares.clip_id, "x", "9" * 30]})
    assert not Withdrawal.objects.exists()
    here.post(reverse("delete_ticked_clips"), {"clip": [bea_shares.clip_id, mine]})
    assert [clip.pk for clip in Clip.objects.exclude(withdrawal=None)] == [mine]


@pytest.mark.parametrize("name", ["my_clips", "delete_all_clips", "my_data", "leave"])
def test_a_stranger_is_asked_to_log_in(client, db, name):
    assert client.get(reverse(name))["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", ["delete_ticked_clips", "keep_clips", "clips_cooling_off"])
def test_a_link_cannot_change_anything(here, name):
    answer = here.get(reverse(name))
    assert (answer.status_code, answer["Location"]) == (302, PAGE)


@mutant(
    "a clip that is being erased is not even played to its owner",
    "tagger/privacy/my_clips.py",
    kept_by="    return contributor.clips.filter(withdrawal=None)\n",
    broken="    return contributor.clips.all()\n",
)
def test_deleting_a_clip_asks_once_takes_effect_immediately_and_gives_a_receipt(
    here, juniper, share, own_home, django_capture_on_commit_callbacks
):
    going, staying = share(juniper).clip, share(juniper).clip
    address = reverse("delete_clip", args=[going.pk])
    assert "What cannot be undone" in drawn(here.get(address))
    assert Clip.objects.filter(withdrawal=None).count() == 2
    with django_capture_on_commit_callbacks() as queued:
        receipt = here.post(address)["Location"]
    assert len([act for act in queued if act.__name__ == "queue"]) == 1  # the other confirms the journal
    assert here.get(reverse("my_clip_audio", args=[going.pk])).status_code == 404
    assert "Being erased." in drawn(here.get(PAGE))
    assert "In progress." in drawn(here.get(receipt))
    scrub_all()
    assert "Done." in drawn(here.get(receipt))
    assert [Clip.objects.get().pk, len(files(own_home))] == [staying.pk, 1]
    assert here.get(reverse("my_clip_audio", args=[staying.pk])).status_code == 200


def test_deleting_some_clips_deletes_only_those(here, alice, juniper, share):
    clips = [share(juniper).clip_id for _ in range(3)]
    here.post(reverse("delete_ticked_clips"), {"clip": clips[:2]})
    scrub_all()
    assert [clip.pk for clip in alice.clips.all()] == clips[2:]


def test_deleting_all_clips_ends_the_consents_and_leaves_the_account(here, alice, answered, own_home):
    assert "everything you agreed to is withdrawn" in drawn(here.get(reverse("delete_all_clips")))
    here.post(reverse("delete_all_clips"))
    scrub_all()
    assert not alice.clips.exists() and files(own_home) == []
    assert not alice.consents.live().exists()
    assert here.get(PAGE).status_code == 200


def test_people_who_lost_the_role_still_hear_and_delete(here, alice, juniper, share):
    clip = share(juniper).clip
    User.objects.filter(pk=alice.pk).update(roles=[])
    assert here.get(reverse("my_clip_audio", args=[clip.pk])).status_code == 200
    here.post(reverse("delete_clip", args=[clip.pk]))
    assert not alice.clips.filter(withdrawal=None).exists()


def test_a_held_clip_is_listed_separately_and_only_its_owner_hears_it(here, sent, bea, juniper):
    text = drawn(here.get(PAGE))
    assert "Clips for you to check" in text and "Waiting until" in text and "Shared (0)" in text
    assert here.get(reverse("my_clip_audio", args=[sent.pk])).status_code == 200
    assert assignments.lend(bea, juniper, 1, timezone.now()) == []


def test_a_held_clip_that_is_shared_early_is_lent_immediately(here, sent, bea, juniper):
    assert "Shared: 1 clip." in drawn(here.post(reverse("keep_clips"), {"clip": sent.pk}, follow=True))
    [lent] = assignments.lend(bea, juniper, 1, timezone.now())
    assert lent.task.clip_id == sent.pk


@mutant(
    "a held clip that is deleted is gone",
    "tagger/privacy/views_clips.py",
    kept_by="erasure.erase_clips(request.user, going, timezone.now())",
    broken="str(my_clips.end_cooling_off(request.user, going, timezone.now()))",
)
def test_a_held_clip_that_is_deleted_is_gone(here, sent, own_home):
    here.post(reverse("delete_ticked_clips"), {"clip": sent.pk})
    scrub_all()
    assert not Clip.objects.exists() and files(own_home) == []


def test_all_held_clips_are_shared_or_deleted_by_one_button(here, alice, sent, juniper, share):
    already_shared = share(juniper).clip_id
    here.post(reverse("delete_ticked_clips"), {"every": "held"})
    assert list(alice.clips.filter(withdrawal=None).values_list("pk", flat=True)) == [already_shared]
    assert "Shared:" not in drawn(here.post(reverse("keep_clips"), {"every": "held"}, follow=True))


def test_no_one_shares_another_persons_held_clip_early(client, sent, bea):
    client.force_login(bea)
    client.post(reverse("keep_clips"), {"clip": sent.pk})
    assert Clip.objects.get().held_until == sent.held_until


def test_ticking_nothing_changes_nothing_and_says_so(here, sent):
    for name in ("keep_clips", "delete_ticked_clips"):
        assert "Select at least one clip first." in drawn(here.post(reverse(name), follow=True))
    assert Clip.objects.get().held_until == sent.held_until
    assert not Withdrawal.objects.exists()


@pytest.mark.parametrize(
    ("hours", "status"), [("0", 302), ("168", 302), ("169", 400), ("-1", 400), ("", 400)]
)
def test_the_hours_to_wait_can_be_from_none_to_a_week(here, alice, hours, status):
    assert here.post(reverse("clips_cooling_off"), {"hours": hours}).status_code == status
    alice.refresh_from_db()
    assert alice.cooling_off == (int(hours) if status == 302 else 72)


def test_a_page_has_fifty_clips_and_as_few_queries_as_for_two(here, juniper, add_tasks):
    add_tasks(juniper, 2)
    with CaptureQueriesContext(
        connection,
    ) as few:
        here.get(PAGE)
    add_tasks(juniper, 60)
    with CaptureQueriesContext(connection) as many:
        page = here.get(PAGE)
    assert len(many) == len(few)
    assert page.content.decode().count("<clip-player") == 50
    assert here.get(PAGE, {"page": 2}).content.decode().count("<clip-player") == 12


@mutant(
    "a contributor sees why a reviewer took their clip out",
    "tagger/privacy/my_clips.py",
    kept_by='last.get_reason_display() if last else ""',
    broken='""',
)
def test_contributors_see_what_reviewers_did_to_their_clips(here, alice, rita, juniper, share):
    unusable, silent, gone, kept = (share(juniper) for _ in range(4))
    later = timezone.now()
    acts.call_unusable(dispute_over(unusable, NOW), rita, "cut-off", NOW, "for other reviewers")
    undone = acts.call_unusable(dispute_over(kept, NOW), rita, "sound", NOW)
    undo.undo(undone, rita, NOW)
    private_sound.silence(dispute_over(silent, NOW), rita, [(0.1, 0.25), (0.3, 0.4)], NOW)
    private_sound.destroy(dispute_over(gone, NOW), rita, later)
    page = drawn(here.get(PAGE))
    assert page.count("took it out: its beginning or its end is missing.") == page.count("took it out") == 1
    assert "Not asked" in page and "for other reviewers" not in page and "too noisy" not in page
    assert "A reviewer silenced 0.1–0.2, 0.3–0.4 s for good" in page
    assert page.count("a reviewer destroyed a clip of yours") == 1
    scrub_all()
    assert "a reviewer destroyed a clip of yours" in drawn(here.get(PAGE))
    Withdrawal.objects.update(requested_at=later - timedelta(days=91))
    assert "a reviewer destroyed" not in drawn(here.get(PAGE))
