import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from datasets.clips import audio
from tagger.demo import voices
from tagger.demo.scripts import TRANSCRIPTION_CAMPAIGN, WAKE_WORD, WAKE_WORD_CAMPAIGN, lines, record
from tagger.demo.voices import NOISES, VOICES, NoVoices, noise, speak

ADA = VOICES[0]


def pitch_and_colour(samples):
    """A voice's spectrum in 40 bands: enough to distinguish two voices that say the same words."""
    bands = np.array_split(np.abs(np.fft.rfft(samples, 32_000))[:10_000], 40)
    levels = np.log([band.mean() for band in bands])
    return levels - levels.mean()


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_every_voice_speaks(voice):
    words = "hey juniper, are you there" if voice.language.startswith("en") else "oye, ¿qué hora es?"
    said = speak(words, voice)
    audio.check(said)
    assert said.dtype == np.int16
    assert 1 < audio.seconds(said) < 3
    assert audio.speech_share(said) > 0.6


def test_voices_differ():
    spectra = [pitch_and_colour(speak(WAKE_WORD, voice)) for voice in VOICES]
    distances = [np.abs(a - b).mean() for a, b in itertools.combinations(spectra, 2)]
    assert min(distances) > 0.2


def test_threads_may_speak_at_the_same_time():
    lengths = [len(speak("good morning", voice)) for voice in VOICES]
    with ThreadPoolExecutor(8) as pool:
        spoken = list(pool.map(lambda voice: speak("good morning", voice), VOICES * 3))
    # The tremor alone changes a voice's length by up to 1.7 % (measured over 60 repetitions of each).
    assert np.allclose([len(samples) for samples in spoken], lengths * 3, rtol=0.035, atol=0)


def test_an_unknown_language_and_a_missing_package_are_reported(monkeypatch):
    with pytest.raises(ValueError, match="'tlh'"):
        speak("nuqneH", replace(ADA, language="tlh"))
    voices._espeak.cache_clear()
    monkeypatch.setattr(voices, "espeakng_loader", None)
    with pytest.raises(NoVoices, match="espeakng-loader"):
        speak("hello", ADA)


@pytest.mark.parametrize("kind", NOISES)
def test_a_noise_is_sound_without_speech_and_the_same_for_the_same_seed(kind):
    sound = noise(kind, 2, seed=7)
    audio.check(sound)
    assert audio.seconds(sound) == 2
    assert audio.speech_share(sound) < 0.1
    assert np.array_equal(sound, noise(kind, 2, seed=7))
    assert not np.array_equal(sound, noise(kind, 2, seed=8))


def test_an_unknown_noise_is_refused():
    with pytest.raises(ValueError, match="knock"):
        noise("thunder", 1, seed=1)


def test_the_script_has_all_clips_of_the_demo_and_no_seed_twice():
    script = lines()
    wake_words = Counter(line.truth for line in script if line.campaign == WAKE_WORD_CAMPAIGN)
    sentences = [line for line in script if line.campaign == TRANSCRIPTION_CAMPAIGN]
    assert wake_words == {"yes": 14, "similar": 8, "no": 8, "noise": 6}
    assert len(sentences) == 16
    assert all(4 <= len(line.truth.split()) <= 12 for line in sentences)
    assert len({line.voice for line in sentences}) == 8
    assert len({line.seed for line in script}) == len(script)


def test_every_clip_of_the_demo_passes_the_checks_of_intake():
    clips = [(line, record(line)) for line in lines()]
    for line, clip in clips:
        audio.check(clip)
        assert (audio.speech_share(clip) > 0.3) == (line.truth != "noise"), line
    assert len({audio.fingerprint(clip) for _, clip in clips}) == len(clips)
