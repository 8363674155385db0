"""How well a clip was recorded is measured when it is stored, or later, and names no speaker."""

import numpy as np
import pytest
from django.conf import settings

from datasets import tasks
from datasets.clips import audio, intake, measuring, quality, vault
from datasets.models import Clip
from tagger.privacy import silencing, withdrawal
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant


def always():
    return True


def babble(seed, noise=None):
    """int16 (n,): half a second of nothing, two of babble, half a second; with `noise`, at this ratio in dB
    to the babble where that is heard as speech."""
    clean = np.pad(sounds.babble(seed, 2.0) // 4, 8_000).astype(np.int16)
    if noise is None:
        return clean
    spoken = np.repeat(audio.speech_frames(clean), quality.FRAME)[: len(clean)]
    power = np.square(clean[spoken].astype(float)).mean() / 10 ** (noise / 10)
    hiss = np.random.default_rng(seed).normal(0, np.sqrt(power), len(clean))
    return np.clip(np.rint(clean + hiss), -32_768, 32_767).astype(np.int16)


@pytest.mark.parametrize("decibels", [0, 5, 10, 20, 30, 40])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_known_ratio_is_found_again(seed, decibels):
    sound = babble(seed, decibels)
    assert abs(quality.snr(sound, audio.speech_frames(sound)) - decibels) <= 3


def test_a_constant_offset_is_no_noise():
    sound, frames = babble(1, 20), audio.speech_frames(babble(1, 20))
    assert quality.snr(sound + np.int16(2_000), frames) == quality.snr(sound, frames)


@pytest.mark.parametrize("spoken", [0, 2, 62, 64])
def test_without_speech_or_without_a_pause_there_is_no_ratio(spoken):
    assert quality.snr(sounds.babble(1, 64 * 512 / 16_000), np.arange(64) < spoken) is None


def test_digital_silence_around_speech_is_as_good_as_16_bits_are():
    assert quality.snr(babble(1), audio.speech_frames(babble(1))) > 60


def test_what_is_quieter_than_its_pauses_is_far_below():
    sound = np.concatenate([sounds.tone(0.5, level=0.1), sounds.tone(0.5, level=0.5)])
    assert quality.snr(sound, np.arange(31) < 15) == -20


def test_a_sine_that_is_cut_off_is_clipped_by_as_much():
    at = np.arange(16_000) / 16_000
    loud = np.clip(1.5 * 32_767 * np.sin(2 * np.pi * 100 * at), -32_768, 32_767).astype(np.int16)
    beyond = 1 - 2 * np.arcsin(quality.FULL_SCALE / 32_767 / 1.5) / np.pi
    assert quality.clipping(loud) == pytest.approx(beyond, abs=0.02)


def test_peaks_that_touch_full_scale_and_quiet_sounds_are_not_clipped():
    assert quality.clipping(sounds.tone(1.0, hertz=1_000, level=1.0)) == 0
    assert quality.clipping(sounds.tone(1.0, level=0.9)) == 0
    assert quality.clipping(np.zeros(0, np.int16)) == 0


def test_a_jump_from_one_end_of_the_scale_to_the_other_is_two_runs():
    assert quality.clipping(np.array([32_767, 32_767, -32_768, -32_768], np.int16)) == 0
    assert quality.clipping(np.array([32_767] * 3 + [-32_768] * 3, np.int16)) == 1


def test_both_are_rounded_so_far_that_they_name_nobody():
    values = [quality.clipping(sounds.tone(0.5, hertz=90 + n, level=1.0)) for n in range(20)]
    assert all(value == round(value, 3) for value in values)
    assert isinstance(quality.snr(babble(1, 13), audio.speech_frames(babble(1, 13))), int)


@pytest.fixture
def shared(alice, juniper):
    """A clip of Alice's, from a source, with this sound."""

    def stored(sound, source=Clip.Source.BROWSER):
        read = intake.read(sounds.in_format("wav", sound))
        intake.add(read, juniper, intake.Origin(alice, source, "en", licence="MIT"), NOW)
        return Clip.objects.latest("pk")

    return stored


@pytest.mark.parametrize("source", [Clip.Source.BROWSER, Clip.Source.DEVICE])
def test_a_recording_is_measured_when_it_comes(shared, source):
    clip = shared(babble(1, 20), source)
    assert (abs(clip.snr - 20) <= 1, clip.clipping) == (True, 0)


def test_what_was_imported_is_measured_later_and_as_well(shared):
    clip = shared(babble(2, 10), Clip.Source.IMPORT)
    assert (clip.snr, clip.clipping) == (None, None)
    assert measuring.measure_some(always) == 1
    clip.refresh_from_db()
    assert (abs(clip.snr - 10) <= 1, clip.clipping) == (True, 0)
    assert measuring.measure_some(always) == 0


def test_a_clip_without_speech_is_measured_once(shared):
    clip = shared(sounds.tone(1.0), Clip.Source.IMPORT)
    assert measuring.measure_some(always) == 1 and measuring.measure_some(always) == 0
    clip.refresh_from_db()
    assert (clip.snr, clip.clipping) == (None, 0)


def test_it_takes_only_the_time_that_it_has(shared):
    for seed in range(3):
        shared(babble(seed, 10), Clip.Source.IMPORT)
    left = [True, True, False]
    assert measuring.measure_some(lambda: left.pop(0)) == 2
    assert Clip.objects.filter(clipping=None).count() == 1


def test_what_is_lost_stops_no_other(shared):
    first, second = (shared(babble(seed, 10), Clip.Source.IMPORT) for seed in (1, 2))
    vault.destroy(first.stored_as)
    assert measuring.measure_some(always) == 1
    assert list(Clip.objects.filter(clipping=None)) == [first]
    assert Clip.objects.get(pk=second.pk).snr


def test_many_lost_clips_are_not_all_searched_each_time_and_stop_no_other_for_good(
    juniper, add_tasks, shared, monkeypatch
):
    lost = [task.clip_id for task in add_tasks(juniper, 8)]
    monkeypatch.setattr(measuring, "MOST_UNREADABLE", 3)
    clip, tried = shared(babble(1, 20), Clip.Source.IMPORT), []
    measure = measuring._measure
    monkeypatch.setattr(measuring, "_measure", lambda each: tried.append(each.pk) or measure(each))
    for start in (lost[0], lost[-1]):
        monkeypatch.setattr(measuring.random, "randint", lambda first, last, start=start: start)
        measuring.measure_some(always)
    assert tried == [*lost[:3], lost[-1], clip.pk, *lost[:2]]
    assert not Clip.objects.filter(pk=clip.pk, clipping=None).exists()


@mutant(
    "the sound of a clip that is being erased is not read again",
    "datasets/clips/measuring.py",
    kept_by="clipping=None, withdrawal=None",
    broken="clipping=None",
)
def test_a_clip_that_is_being_erased_is_not_measured(alice, shared):
    clip = shared(babble(1, 10), Clip.Source.IMPORT)
    withdrawal.forget_clips(alice, [clip.pk], NOW)
    assert measuring.measure_some(always) == 0


def test_silencing_seconds_changes_neither(alice, shared, rita):
    clip = shared(babble(1, 20))
    silencing.silence(clip, [(0.0, 0.4)], rita, NOW)
    silenced = Clip.objects.get(withdrawal=None)
    assert (silenced.snr, silenced.clipping) == (clip.snr, clip.clipping)


def test_silenced_seconds_are_no_noise_for_what_is_measured_later(shared, rita):
    clip = shared(babble(1, 20), Clip.Source.IMPORT)
    silencing.silence(clip, [(0.1, 0.4)], rita, NOW)
    measuring.measure_some(always)
    assert abs(Clip.objects.get(withdrawal=None).snr - 20) <= 1


def test_beat_measures_in_the_background(shared):
    shared(babble(1, 20), Clip.Source.IMPORT)
    assert "datasets.tasks.measure_clips" in {each["task"] for each in settings.CELERY_BEAT_SCHEDULE.values()}
    assert tasks.measure_clips() == 1
