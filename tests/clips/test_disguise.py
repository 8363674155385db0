import numpy as np
import pytest

from accounts import consent
from accounts.models import Consent
from datasets.clips import audio, disguise, hearing, intake, vault
from datasets.models import Clip
from tests.conftest import NOW
from tests.support import sounds


def middle_of_spectrum(samples):
    """The frequency, in Hz, that divides the energy of the sound in halves."""
    power = np.abs(np.fft.rfft(samples / 1.0)) ** 2
    return np.searchsorted(np.cumsum(power) / power.sum(), 0.5) * 16_000 / len(samples)


@pytest.mark.parametrize("coefficient", [0.6, 0.75, 0.9])
def test_a_disguised_voice_is_different_but_as_long_and_as_loud(coefficient):
    voice = sounds.babble(seed=3, seconds=2.0)
    other = disguise.disguise(voice, coefficient)
    assert other.dtype == np.int16 and len(other) == len(voice)
    loud = [np.sqrt(np.mean(sound.astype(float) ** 2)) for sound in (voice, other)]
    assert loud[1] == pytest.approx(loud[0], rel=0.1)
    assert abs(np.corrcoef(voice, other)[0, 1]) < 0.9


def test_a_coefficient_of_one_changes_almost_nothing():
    voice = sounds.babble(seed=3, seconds=2.0)
    assert np.corrcoef(voice, disguise.disguise(voice, 1.0))[0, 1] > 0.99


def test_the_stronger_the_coefficient_the_further_the_formants_move():
    voice = sounds.babble(seed=3, seconds=2.0)
    there, near, far = (middle_of_spectrum(disguise.disguise(voice, c)) for c in (1.0, 0.85, 0.6))
    assert there < near < far


def test_every_clip_has_its_own_coefficient_in_the_range():
    drawn = {disguise.coefficient(np.random.default_rng(n).bytes(32)) for n in range(50)}
    assert len(drawn) == 50
    assert disguise.STRONGEST <= min(drawn) < max(drawn) <= disguise.WEAKEST


@pytest.fixture
def spoken(alice, juniper):
    sound = intake.read(sounds.in_format("wav", sounds.babble(seed=5, seconds=1.0)))
    intake.add(sound, juniper, intake.Origin(alice, Clip.Source.BROWSER, "en"), NOW)
    return Clip.objects.get()


def test_volunteers_hear_a_clip_unchanged_unless_its_contributor_chose_otherwise(spoken):
    assert hearing.for_volunteers(spoken) == vault.get(spoken)


def test_a_disguised_clip_sounds_the_same_at_every_hearing(alice, spoken):
    consent.disguise(alice, True, NOW)
    assert Consent.objects.live().filter(disguised=True).exists()
    disguised = hearing.for_volunteers(spoken)
    assert disguised != vault.get(spoken) and disguised == hearing.for_volunteers(spoken)
    assert len(audio.read(disguised)) == len(audio.read(vault.get(spoken)))
