import io
import multiprocessing
import re
import struct
import wave
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.refusals import in_words
from datasets.clips import audio, wav_files
from datasets.clips.audio import BadAudio
from datasets.clips.wording import WORDS
from tests.support import sounds
from tests.support.sounds import FORMATS, tone

SOUND = tone(0.5).tobytes()


def refusal(data: bytes) -> str:
    with pytest.raises(BadAudio) as caught:
        audio.check(audio.read(data))
    return in_words(caught.value, WORDS)


def refusal_of(samples) -> str:
    with pytest.raises(BadAudio) as caught:
        audio.check(samples)
    return in_words(caught.value, WORDS)


def webm(seconds: float, stamp) -> bytes:
    return sounds.by_av(tone(seconds, 48_000), 48_000, "webm", "libopus", stamp)


def loudness(samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


# Decoding


def test_samples_in_the_stored_form_pass_bit_by_bit():
    noise = np.random.default_rng(1).integers(-32_768, 32_768, 8_000).astype(np.int16)
    assert np.array_equal(audio.read(sounds.in_format("wav", noise)), noise)
    assert np.array_equal(audio.read(sounds.in_format("flac", noise)), noise)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_every_format_comes_out_as_one_second_of_its_tone(kind, rate):
    samples = audio.read(sounds.in_format(kind, rate=rate))
    middle = samples[2_000:14_000]
    frequency = np.argmax(np.abs(np.fft.rfft(middle))) * audio.RATE / len(middle)
    assert samples.dtype == np.int16
    assert audio.seconds(samples) == pytest.approx(1, abs=0.05)  # AAC pads its last frame
    assert frequency == pytest.approx(440, abs=2)
    assert loudness(middle) == pytest.approx(loudness(tone()), rel=0.03)
    audio.check(samples)


def test_a_long_mp3_has_no_gaps_between_the_blocks_it_is_decoded_in():
    samples = audio.read(sounds.in_format("mp3", tone(4, 48_000), 48_000))
    levels = [loudness(part) for part in samples[2_000:62_000].reshape(-1, 200)]
    assert min(levels) == pytest.approx(max(levels), rel=0.1)


def test_channels_are_averaged():
    left, right = tone(level=0.5), tone(level=0.1)
    both = np.stack([left, right], axis=1)
    expected = (left.astype(float) + right) / 2
    assert np.abs(audio.read(sounds.in_format("wav", both)) - expected).max() <= 0.5


def test_a_format_is_recognised_by_its_bytes():
    assert "not an audio file" in refusal(b"hello.wav")
    assert "not an audio file" in refusal(b"")
    tag = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    assert "not an audio file" in refusal(tag + sounds.in_format("wav"))
    audio.check(audio.read(tag + sounds.in_format("mp3")))
    assert "not an audio file" in refusal(sounds.by_sndfile(tone(), 16_000, "AIFF"))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"])
def test_every_depth_of_wav_keeps_its_level(subtype):
    samples = audio.read(sounds.by_sndfile(tone() / 32_768, 16_000, "WAV", subtype))
    assert np.abs(samples.astype(int) - tone()).max() <= (600 if subtype.endswith(("U8", "LAW")) else 1)


def test_samples_beyond_full_scale_are_clipped_and_never_wrap_around():
    loud = (tone() / 32_768 * 4).astype(np.float32)
    for rate in (16_000, 22_050):
        samples = audio.read(sounds.by_sndfile(loud, rate, "WAV", "FLOAT"))
        assert (samples.max(), samples.min()) == (32_767, -32_768)
        assert np.abs(np.diff(samples.astype(int))).max() < 30_000


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_numbers_are_refused(wrong):
    samples = np.full(8_000, 0.1, np.float32)
    samples[77] = wrong
    assert "not numbers" in refusal(sounds.by_sndfile(samples, 16_000, "WAV", "FLOAT"))


def test_webm_keeps_the_gaps_between_its_time_stamps():
    samples = audio.read(webm(3, lambda number, at: None if 50 <= number < 100 else at))
    assert audio.seconds(samples) == pytest.approx(3, abs=0.02)
    assert not samples[17_000:31_000].any()
    assert loudness(samples[34_000:46_000]) > 10_000


def test_a_time_stamp_far_ahead_is_refused_and_not_filled_with_silence():
    year = 48_000 * 86_400 * 365
    assert refusal(webm(1, lambda number, at: at + year * (number > 25))) == "longer than 30 s"


def test_repeated_time_stamps_lose_nothing_and_cannot_go_on_for_ever():
    samples = audio.read(webm(5, lambda number, at: min(at, 96_000)))
    assert audio.seconds(samples) == pytest.approx(5, abs=0.05)
    assert refusal(webm(32, lambda number, at: 0)) == "longer than 30 s"


def test_without_its_decoder_webm_is_refused_by_name(monkeypatch):
    file = sounds.in_format("webm")
    monkeypatch.setattr(audio, "av", None)
    assert "`av`" in refusal(file)


def test_a_video_without_sound_is_refused():
    assert "no audio track" in refusal(sounds.silent_video())


# Length and loudness


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_an_hour_is_refused_after_half_a_minute_of_it(kind):
    assert refusal(sounds.in_format(kind, np.zeros(16_000 * 120, np.int16))) == "longer than 30 s"


def test_the_shortest_and_the_longest_length_are_accepted():
    audio.check(tone(0.3))
    audio.check(tone(30))
    assert refusal(audio.wav(tone(30.5))) == "longer than 30 s"
    assert refusal(audio.wav(tone(0.2999))) == "only 0.29 s of sound; at least 0.3 s are needed"


def test_silence_is_refused():
    assert "every sample is the same" in refusal_of(np.full(16_000, 123, np.int16))
    dither = np.random.default_rng(1).integers(-1, 2, 16_000).astype(np.int16)
    assert "digital silence" in refusal_of(dither)


def test_a_recording_clipped_flat_is_refused_but_one_slightly_too_loud_is_not():
    sine = np.sin(np.arange(16_000) / 10)
    audio.check((np.clip(sine * 1.2, -1, 1) * 32_767).astype(np.int16))
    flat = (np.clip(sine * 5, -1, 1) * 32_767).astype(np.int16)
    assert re.match(r"clipped: \d\d% of", refusal_of(flat))


@pytest.mark.parametrize("rate", [1, 3_999, 192_001, 1_092_676])
def test_unreasonable_sample_rates_are_refused(rate):
    assert "samples per second" in refusal(sounds.riff(sounds.fmt(rate=rate), (b"data", SOUND)))


def test_nine_channels_are_refused():
    assert "9 channels" in refusal(sounds.in_format("wav", np.stack([tone()] * 9, axis=1)))


# WAV headers


def test_headers_that_recorders_really_write_are_read():
    listed = (b"LIST", b"INFOIART\x05\0\0\0Alice\0")
    extensible = struct.pack("<HHIH", 22, 16, 4, 1) + wav_files.GUID_TAIL
    for file in (
        sounds.riff(sounds.fmt(), listed, (b"odd ", b"abc"), (b"data", SOUND), listed),
        sounds.riff(sounds.fmt(extra=b"\0\0"), (b"data", SOUND)),
        sounds.riff(sounds.fmt(0xFFFE, extra=extensible), (b"data", SOUND)),
        sounds.riff(sounds.fmt(), (b"data", SOUND)) + b"what follows the form is no sound",
    ):
        assert audio.read(file).tobytes() == SOUND


@pytest.mark.parametrize("form", [0, 0x7FFF_F024, 0x8000_0024, 0xFFFF_FFFF])
@pytest.mark.parametrize("size", [0, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFF])
def test_a_streaming_recorder_may_leave_the_lengths_open(form, size):
    header = sounds.wav_header(size, form)
    assert audio.read(header + SOUND).tobytes() == SOUND
    assert audio.read(header + SOUND + b"\x01").tobytes() == SOUND
    assert "only a header" in refusal(header)


def test_a_header_that_was_never_completed_is_read():
    assert audio.read(sounds.wav_header(0, 36) + SOUND).tobytes() == SOUND


@pytest.mark.parametrize(
    ("reason", "file"),
    [
        ("says 5,000 bytes of sound, but the file has 12", sounds.wav_header(5_000, 5_028) + b"x" * 12),
        ("says 5,000 bytes of sound, but the file has 12", sounds.wav_header(5_000, 48) + b"x" * 12),
        ("says 5,000 bytes of sound, but the file has 12", sounds.wav_header(5_000, 0) + b"x" * 12),
        ("only a header", sounds.wav_header(0, 36)),
        ("only a header", sounds.riff(sounds.fmt(), (b"data", b""), (b"LIST", SOUND))),
        ("contains no sound", sounds.riff(sounds.fmt(), (b"junk", SOUND))),
        ("contains no sound", b"RIFF\x04\0\0\0WAVE"),
        ("does not say how", sounds.riff((b"data", SOUND))),
        ("does not say how", sounds.riff((b"fmt ", b"\x01\0"), (b"data", SOUND))),
        ("0 channels", sounds.riff(sounds.fmt(channels=0), (b"data", SOUND))),
        ("contradicts itself", sounds.riff(sounds.fmt(align=7), (b"data", SOUND))),
        ("contradicts itself", sounds.riff(sounds.fmt(align=0), (b"data", SOUND))),
        ("middle of a sample", sounds.riff(sounds.fmt(), (b"data", SOUND + b"x"))),
        ("is not supported", sounds.riff(sounds.fmt(encoding=17, bits=4, align=1), (b"data", SOUND))),
        ("is not supported", sounds.riff(sounds.fmt(0xFFFE, extra=b"x" * 24), (b"data", SOUND))),
        ("is not supported", sounds.riff(sounds.fmt(bits=0), (b"data", SOUND))),
    ],
)
def test_a_wrong_header_is_refused_with_the_reason(reason, file):
    assert reason in refusal(file)


# Arbitrary bytes


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        [
            b"",
            b"RIFF\xff\xff\xff\xffWAVE",
            b"fLaC",
            b"OggS",
            b"ID3",
            b"\xff\xfb",
            b"\x1a\x45\xdf\xa3",
            b"\0\0\0\x20ftyp",
        ]
    ),
    st.binary(max_size=400),
)
def test_random_bytes_are_either_read_or_refused(magic, rest):
    try:
        audio.check(audio.read(magic + rest))
    except BadAudio as error:
        assert in_words(error, WORDS)


VALID = {kind: sounds.in_format(kind, tone(0.3)) for kind in FORMATS}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_are_either_read_or_refused(kind, data):
    file = bytearray(VALID[kind])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(file) - 1) | st.integers(0, 200))
        file[at] ^= data.draw(st.integers(1, 255))
    del file[data.draw(st.just(len(file)) | st.integers(0, len(file))) :]
    try:
        samples = audio.read(bytes(file))
    except BadAudio as error:
        assert in_words(error, WORDS)
    else:
        assert samples.dtype == np.int16
        assert audio.seconds(samples) <= 31


def test_a_codec_that_ffmpeg_does_not_know_is_refused():
    assert "audio encoding is not supported" in refusal(VALID["webm"].replace(b"A_OPUS", b"A_OPVS"))


# Writing


def test_our_wav_is_a_header_of_44_bytes_and_the_samples():
    file = audio.wav(tone())
    assert file[44:] == tone().astype("<i2").tobytes()
    with wave.open(io.BytesIO(file)) as opened:
        assert opened.getparams()[:4] == (1, 2, 16_000, 16_000)
    assert np.array_equal(audio.read(file), tone())


def test_a_sound_has_the_same_fingerprint_in_any_file():
    wrapped = sounds.riff(sounds.fmt(), (b"LIST", b"by Alice"), (b"data", tone().tobytes()))
    assert audio.fingerprint(audio.read(wrapped)) == audio.fingerprint(tone())
    assert audio.fingerprint(tone()) != audio.fingerprint(tone(level=0.4))
    assert len(audio.fingerprint(tone())) == 64


# Speech


def test_a_tone_and_silence_contain_no_speech():
    assert audio.speech_share(tone()) < 0.2
    assert audio.speech_share(np.zeros(16_000, np.int16)) == 0
    assert audio.speech_share(np.zeros(100, np.int16)) == 0
    assert audio.speech_share(np.zeros(0, np.int16)) == 0


def test_a_steady_sound_hiss_and_silence_contain_no_voice():
    hiss = np.random.default_rng(1).standard_normal(16_000) * np.sin(np.linspace(0, 30, 16_000))
    for sound in (tone(), np.rint(3_000 * hiss), np.zeros(16_000), np.zeros(100), np.zeros(0)):
        assert audio.voiced_share(sound.astype(np.int16)) < 0.05


def test_what_the_detector_counts_as_speech_counts_as_voiced():
    clips = [sounds.babble(seed) for seed in range(6)]
    assert all(audio.voiced_share(sound) > 0.2 for sound in clips if audio.speech_share(sound) > 0.3)


def test_the_detector_gives_the_same_answer_from_any_thread_in_any_order():
    clips = [sounds.babble(seed) for seed in range(6)]
    alone = [audio.speech_share(clip) for clip in clips]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(audio.speech_share, clips * 3)) == alone * 3
    assert max(alone) > 0.3


def test_a_process_forked_after_the_detector_was_used_can_use_it():
    audio.speech_share(tone())
    child = multiprocessing.get_context("fork").Process(target=audio.speech_share, args=[tone()])
    child.start()
    child.join(timeout=10)
    hangs = child.is_alive()
    child.kill()
    assert not hangs and child.exitcode == 0
