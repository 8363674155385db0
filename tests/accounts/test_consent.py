"""Consent is an append-only list of events, and what rests on a consent ends with it."""

import pytest
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError

from accounts import consent
from accounts.models import Consent, ConsentNotice, Material, Purpose, User
from datasets.clips import audio, fingerprints, intake, vault
from datasets.models import Clip
from tests.conftest import NOW
from tests.support import sounds
from tests.support.site import eventually
from tests.support.stored import files

WAKE_WORD, UTTERANCE = Material.WAKE_WORD, Material.UTTERANCE


@pytest.fixture
def wendy(db):
    return User.objects.create_user("wendy")


@pytest.fixture
def give(wendy):
    def given(*purposes, material=WAKE_WORD, reference="on paper", **words):
        return consent.give(wendy, material, purposes, NOW, reference=reference, **words)

    return given


@pytest.fixture
def sound():
    return intake.read(sounds.in_format("wav", sounds.tone(0.5)))


def origin(contributor):
    return intake.Origin(contributor, Clip.Source.BROWSER, "en")


def events():
    return list(Consent.objects.order_by("id").values())


def test_nothing_is_allowed_before_it_is_given(wendy):
    assert not consent.allows(wendy, WAKE_WORD, Purpose.VOLUNTEERS)


def test_each_purpose_is_given_separately(wendy, give):
    give(Purpose.VOLUNTEERS)
    allowed = [purpose for purpose in Purpose if consent.allows(wendy, WAKE_WORD, purpose)]
    assert allowed == [Purpose.VOLUNTEERS]


def test_each_material_is_given_separately(wendy, give):
    give(Purpose.VOLUNTEERS)
    assert not consent.allows(wendy, UTTERANCE, Purpose.VOLUNTEERS)


def test_the_same_words_are_given_once(give):
    assert give(Purpose.VOLUNTEERS) == give(Purpose.VOLUNTEERS)
    assert Consent.objects.count() == 1


def test_other_words_are_another_consent(wendy, give):
    notice = ConsentNotice.objects.create(version=1, language="en", text="…", sha256="…", published_at=NOW)
    give(Purpose.VOLUNTEERS)
    give(Purpose.VOLUNTEERS, reference="on the telephone")
    give(Purpose.VOLUNTEERS, reference="", notice=notice)
    assert Consent.objects.live().count() == 3


def test_a_consent_says_what_was_agreed(wendy):
    with pytest.raises(IntegrityError, match="consent_says_what_was_agreed"):
        consent.give(wendy, WAKE_WORD, [Purpose.VOLUNTEERS], NOW)


def test_withdrawing_ends_everything_that_was_given(wendy, give):
    give(*WAKE_WORD.purposes)
    give(*UTTERANCE.purposes, material=UTTERANCE)
    assert len(consent.withdraw(wendy, NOW)) == 7
    assert not Consent.objects.live().exists()


def test_withdrawing_ends_no_consent_of_others(alice, wendy, give):
    give(*WAKE_WORD.purposes)
    consent.withdraw(wendy, NOW)
    assert consent.allows(alice, WAKE_WORD, Purpose.VOLUNTEERS)


def test_withdrawing_twice_adds_nothing(wendy, give):
    give(Purpose.VOLUNTEERS)
    consent.withdraw(wendy, NOW)
    assert consent.withdraw(wendy, NOW) == []
    assert Consent.objects.count() == 2


def test_events_are_only_ever_added(wendy, give):
    steps = [
        lambda: give(*WAKE_WORD.purposes),
        lambda: consent.withdraw(wendy, NOW),
        lambda: give(Purpose.VOLUNTEERS),
        lambda: consent.withdraw(wendy, NOW),
    ]
    before = events()
    for step in steps:
        step()
        after = events()
        assert after[: len(before)] == before and len(after) > len(before)
        before = after


def test_a_withdrawn_consent_can_be_given_again(wendy, give):
    give(Purpose.VOLUNTEERS)
    consent.withdraw(wendy, NOW)
    [again] = give(Purpose.VOLUNTEERS)
    assert again == consent.require(wendy, WAKE_WORD, Purpose.VOLUNTEERS)
    assert consent.has_withdrawn(wendy)


def test_a_consent_is_withdrawn_by_at_most_one_event(wendy, give):
    [given] = give(Purpose.VOLUNTEERS)
    [ended] = consent.withdraw(wendy, NOW)
    with pytest.raises(IntegrityError, match="withdraws_id"):
        Consent.objects.create(
            contributor=wendy, material=WAKE_WORD, purpose=Purpose.VOLUNTEERS, at=NOW, withdraws=given
        )
    assert ended.withdraws == given


@pytest.mark.parametrize("gone", [User, ConsentNotice, Consent])
def test_rows_that_a_consent_refers_to_cannot_be_deleted(wendy, give, gone):
    notice = ConsentNotice.objects.create(version=1, language="en", text="…", sha256="…", published_at=NOW)
    give(Purpose.VOLUNTEERS, notice=notice)
    consent.withdraw(wendy, NOW)
    row = Consent.objects.filter(withdraws=None) if gone is Consent else gone.objects.all()
    with pytest.raises(ProtectedError):
        row.delete()


def test_no_foreign_key_to_consent_cascades():
    pointing = [relation for relation in Consent._meta.related_objects]
    assert pointing
    assert {relation.on_delete for relation in pointing} == {models.PROTECT}


def test_the_newest_consent_is_required(wendy, give):
    give(Purpose.VOLUNTEERS, reference="on paper")
    [newer] = give(Purpose.VOLUNTEERS, reference="on the telephone")
    assert consent.require(wendy, WAKE_WORD, Purpose.VOLUNTEERS) == newer


def test_with_a_reference_no_other_consent_will_do(wendy, give):
    [on_paper] = give(Purpose.VOLUNTEERS, reference="on paper")
    give(Purpose.VOLUNTEERS, reference="on the telephone")
    assert consent.require(wendy, WAKE_WORD, Purpose.VOLUNTEERS, "on paper") == on_paper
    with pytest.raises(consent.NoConsent):
        consent.require(wendy, WAKE_WORD, Purpose.VOLUNTEERS, "by rumour")


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_waits_for_a_clip_that_is_being_stored(
    wendy, give, juniper, sound, in_background, lock_is_awaited, monkeypatch
):
    """It comes at the worst moment: consent was found, and the clip's row is not stored yet."""
    give(Purpose.VOLUNTEERS)
    put_all, withdrawals = vault.put_all, []

    def put_slowly(*args):
        withdrawals.append(in_background(lambda: consent.withdraw(wendy, NOW)))
        assert eventually(lambda: withdrawals[0].done() or lock_is_awaited())
        assert not withdrawals[0].done()
        return put_all(*args)

    monkeypatch.setattr(vault, "put_all", put_slowly)
    intake.add(sound, juniper, origin(wendy), NOW)
    withdrawals[0].result()
    assert not Clip.objects.live_for(Purpose.VOLUNTEERS).exists()


@pytest.mark.django_db(transaction=True)
def test_in_fifty_races_no_clip_is_stored_after_its_withdrawal(wendy, give, juniper, run_together, own_home):
    for race in range(50):
        give(Purpose.VOLUNTEERS)
        sound = intake.read(sounds.in_format("wav", sounds.tone(0.35, hertz=300 + 20 * race)))
        ours = Clip.objects.filter(samples_hash__in=fingerprints.hashes([sound.fingerprint]))

        def withdraw_and_look():
            audio.speech_share(sound.samples)  # noqa: B023  as long as intake takes before it checks consent
            consent.withdraw(wendy, NOW)
            return ours.exists()  # noqa: B023

        outcome, was_there = run_together(
            lambda: intake.add(sound, juniper, origin(wendy), NOW),  # noqa: B023
            withdraw_and_look,
        )
        assert outcome is True or isinstance(outcome, consent.NoConsent)
        assert ours.exists() == was_there == (outcome is True)
    assert len(files(own_home)) == Clip.objects.count()


@pytest.mark.django_db(transaction=True)
def test_giving_the_same_words_in_two_tabs_gives_them_once(give, run_together):
    for _ in range(10):
        run_together(*[lambda: give(*WAKE_WORD.purposes)] * 4)
    assert Consent.objects.count() == len(WAKE_WORD.purposes)


@pytest.mark.django_db(transaction=True)
def test_withdrawing_in_two_tabs_withdraws_once(wendy, give, run_together):
    give(*WAKE_WORD.purposes)
    ended = run_together(*[lambda: consent.withdraw(wendy, NOW)] * 4)
    assert sorted(len(rows) for rows in ended) == [0, 0, 0, len(WAKE_WORD.purposes)]


@pytest.mark.django_db(transaction=True)
def test_one_contributor_never_waits_for_another(alice, wendy, give, in_background):
    give(Purpose.VOLUNTEERS)
    with transaction.atomic():
        consent.require(wendy, WAKE_WORD, Purpose.VOLUNTEERS)
        other = in_background(lambda: consent.withdraw(alice, NOW))
        assert len(other.result(timeout=30)) == 4
