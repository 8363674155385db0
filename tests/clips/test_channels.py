"""Two channels become one, and whoever speaks in either of them can still be heard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.clips import audio
from datasets.clips.channels import Comparison
from tests.support import sounds
from tests.support.mutants import mutant

RATE = audio.RATE
VOICE = sounds.babble(1) / 32_768
OTHER = sounds.babble(5) / 32_768
random = np.random.default_rng(3)


def noise(decibels: float):
    """At that level below the voice."""
    level = np.sqrt(np.mean(VOICE**2)) * 10 ** (-decibels / 20)
    return level * random.standard_normal(len(VOICE))


def mixed(*channels, kind="wav"):
    both = np.rint(np.stack(channels, axis=1) * 32_768).clip(-32_768, 32_767).astype(np.int16)
    return audio.read(sounds.in_format(kind, both)) / 32_768


def gain(sound, voice=VOICE, part=slice(None)):
    """By how much ``voice`` is in ``sound``, wherever a codec put it."""
    sound, voice = sound[: len(voice)][part], voice[: len(sound)][part]
    size = len(sound) + len(voice)
    both = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(voice, size)))
    return float(np.abs(both).max() / np.sum(voice**2))


@mutant(
    "channels of opposite phase are not averaged to silence",
    "datasets/clips/channels.py",
    kept_by="_share(summed < _MEAN_LOSES * energy.sum(axis=0), counted)",
    broken="_share(summed == 0, counted)",
)
@pytest.mark.parametrize("kind", sounds.FORMATS)
@pytest.mark.parametrize("below", [3, 30, 90])
def test_channels_of_opposite_phase_are_not_averaged_to_silence(kind, below):
    assert gain(mixed(VOICE + noise(below), -VOICE + noise(below), kind=kind)) > 0.8
    assert gain(mixed(-VOICE + noise(below), 0.6 * VOICE + noise(below), kind=kind)) > 0.8


def test_opposite_phase_in_a_part_of_the_file_loses_nothing():
    sign = np.where(np.arange(len(VOICE)) < RATE // 3, -1, 1)
    found = mixed(VOICE, sign * VOICE)
    assert gain(found, part=slice(0, RATE // 3)) > 0.9 and gain(found, part=slice(RATE // 3, None)) > 0.9


@pytest.mark.parametrize("hertz", [0, 50, 60])
def test_a_common_hum_or_offset_does_not_hide_opposite_phase(hertz):
    hum = 0.4 * np.cos(2 * np.pi * hertz * np.arange(len(VOICE)) / RATE)
    assert gain(mixed(0.5 * VOICE + hum, -0.5 * VOICE + hum)) > 0.4


@mutant(
    "a channel without sound does not halve the other",
    "datasets/clips/channels.py",
    kept_by="    if by_mean <= fewest and has_sound.sum() > 1:\n",
    broken="    if by_mean <= fewest:\n        return None\n",
)
@pytest.mark.parametrize("floor", [60, 45])
def test_a_channel_without_sound_does_not_halve_the_other(floor):
    exact = np.rint(VOICE * 32_768) / 32_768
    for empty in (0 * VOICE, noise(floor), 0 * VOICE + 0.1):
        assert np.array_equal(mixed(VOICE, empty), exact)
        assert np.array_equal(mixed(empty, VOICE), exact)
    assert gain(mixed(*[0 * VOICE] * 3, VOICE, *[0 * VOICE] * 2)) > 0.9


def test_channels_that_agree_or_have_nothing_in_common_are_averaged():
    whole = np.rint(np.stack([VOICE, 0.5 * VOICE, OTHER, noise(0)]) * 32_768)
    for other in whole:
        both = np.stack([whole[0], other], axis=1)
        found = audio.read(sounds.in_format("wav", both.astype(np.int16)))
        assert np.array_equal(found, np.rint(both.mean(axis=1)))


@mutant(
    "of two people on two channels both can be heard",
    "datasets/clips/channels.py",
    kept_by="_share(each < _CHANNEL_LOSES * loudest, counted)",
    broken="0.0",
)
def test_of_two_people_on_two_channels_both_can_be_heard():
    half = np.arange(len(VOICE)) < len(VOICE) // 2
    first, second = VOICE * half, OTHER * ~half
    for left, right in ((first, second), (first - 0.1 * second, second - 0.1 * first)):
        found = mixed(left, right)
        assert gain(found, first) > 0.4 and gain(found, second) > 0.4
    # The right one has both of them, the left one, which is louder, only the first.
    found = mixed(first, (second - first) / 2)
    assert gain(found, first) > 0.45 and gain(found, second) > 0.45


@settings(max_examples=40, deadline=None)
@given(*[st.floats(-1, 1)] * 2, st.integers(10, 60), st.floats(-0.2, 0.2))
def test_a_voice_stays_audible_at_any_levels_signs_and_noise(left, right, below, offset):
    louder = max(abs(left), abs(right))
    found = mixed(
        left * VOICE + louder * noise(below) + offset, right * VOICE + louder * noise(below) - offset
    )
    assert gain(found) > 0.3 * louder - 0.001


@pytest.mark.parametrize(("rate", "blocks"), [(4_000, 7), (8_000, 960), (44_100, 960), (192_000, 16_384)])
def test_the_choice_depends_neither_on_the_rate_nor_on_blocks(rate, blocks):
    sound = sounds.tone(0.25, rate, hertz=700) / 32_768
    for right, expected in ((sound, None), (-sound / 2, [1, 0]), (0 * sound, [1, 0]), (-2 * sound, [0, 1])):
        comparison = Comparison(rate, 2)
        both = np.stack([sound, right], axis=1).astype(np.float32)
        for at in range(0, len(both), blocks):
            comparison.add(both[at : at + blocks])
        found = comparison.weights()
        assert found is None if expected is None else found.tolist() == expected


def test_nothing_to_hear_is_averaged():
    for samples in (0, 1, 100, 5_000):
        comparison = Comparison(RATE, 2)
        comparison.add(np.zeros((samples, 2), np.float32))
        assert comparison.weights() is None
