"""Makes small sound files in every format."""

import io
import struct

import av
import numpy as np
import soundfile

RATE = 16_000
FORMATS = ("wav", "flac", "ogg", "opus", "mp3", "webm", "m4a")


def tone(seconds: float = 1.0, rate: int = RATE, hertz: float = 440.0, level: float = 0.5):
    """int16 (n,): a sine."""
    at = np.arange(round(seconds * rate)) / rate
    return np.rint(level * 32_767 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def in_format(kind: str, samples=None, rate: int = RATE) -> bytes:
    """A file in one of FORMATS of int16 (n,) or (n, channels), by default a tone of one second."""
    samples = tone(rate=rate) if samples is None else samples
    if kind == "webm":
        return by_av(samples, rate, "webm", "libopus")
    if kind == "m4a":
        return by_av(samples, rate, "mp4", "aac")
    if kind == "opus":
        return by_sndfile(samples, rate, "OGG", "OPUS")
    if kind == "ogg":
        return by_sndfile(samples, rate, "OGG", "VORBIS")
    return by_sndfile(samples, rate, kind.upper())


def by_sndfile(samples, rate: int, kind: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    if kind == "MP3" and samples.dtype == np.int16:  # libsndfile's encoder mixes up two channels of these
        samples = samples / 32_768
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def by_av(samples, rate: int, container: str, codec: str, stamp=lambda number, at: at) -> bytes:
    """A file of ``samples``, by FFmpeg.

    ``stamp`` takes the number of a packet and its time ``at``, in samples, and returns another time, or None
    to leave the packet out, as browsers leave out silence.
    """
    channels = np.atleast_2d(samples.T).astype(np.float32) / 32_768
    file = io.BytesIO()
    with av.open(file, "w", format=container) as opened:
        stream = opened.add_stream(codec, rate=rate, layout="mono" if len(channels) == 1 else "stereo")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(channels), format="fltp", layout=stream.layout.name
        )
        frame.sample_rate, frame.pts = rate, 0
        resampler = av.AudioResampler(
            stream.format, stream.layout, stream.rate, stream.codec_context.frame_size or None
        )
        packets = []
        for part in resampler.resample(frame) + resampler.resample(None):
            packets += stream.encode(part)
        packets += stream.encode(None)
        for number, packet in enumerate(packets):
            packet.pts = packet.dts = stamp(number, packet.pts)
            if packet.pts is not None:
                opened.mux(packet)
    return file.getvalue()


def riff(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    """A RIFF file of chunks (name, body). ``size`` is the size in its header, by default the real one."""
    body = b"WAVE" + b"".join(chunk(*named) for named in chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def fmt(encoding=1, channels=1, rate=RATE, bits=16, align=None, extra=b"") -> tuple[bytes, bytes]:
    """The "fmt " chunk of a WAV file."""
    align = channels * bits // 8 if align is None else align
    fields = (encoding, channels, rate, rate * align % 2**32, align, bits)
    return b"fmt ", struct.pack("<HHIIHH", *fields) + extra


def wav_header(data_size: int, size: int, **fields) -> bytes:
    """The 44 bytes before the sound, with the lengths that a test wants in them."""
    name, body = fmt(**fields)
    return riff((name, body), size=size) + b"data" + struct.pack("<I", data_size)


def silent_video() -> bytes:
    """A WebM file with a video track and no sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as opened:
        stream = opened.add_stream("libvpx", rate=10)
        stream.width = stream.height = 16
        opened.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")) + stream.encode(None))
    return file.getvalue()


def babble(seed: int, seconds: float = 1.0):
    """int16 (n,): a buzz through three moving formants, close enough to a voice for a speech detector."""
    random = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    pitch = 110 + 40 * random.random() + 15 * np.sin(2 * np.pi * 3 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = np.zeros_like(at)
    formants = [
        f + d * np.sin(2 * np.pi * r * at)
        for f, d, r in ((550, 200, 2.1 + seed / 9), (1500, 500, 1.6), (2600, 200, 2.7))
    ]
    for harmonic in range(1, 35):
        gain = sum(np.exp(-(((harmonic * pitch - f) / 120) ** 2)) for f in formants) + 0.02
        sound += gain / (1 + harmonic / 12) * np.sin(harmonic * phase)
    envelope = np.clip(np.sin(2 * np.pi * 4 * at) + 0.6, 0, 1)
    sound = sound * envelope + 0.003 * random.standard_normal(len(at))
    return np.rint(12_000 * sound / np.abs(sound).max()).astype(np.int16)
