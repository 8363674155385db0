"""The sound of a WAV file and how it is encoded, by what the file holds. Pure.

libsndfile believes wrong headers, so it only ever sees ours. The length of the whole file in the header is
not needed, and recorders write it wrong: it is read only where the length of the sound is open. A recorder
that streams does not know the length when it writes the header, and often never fills it in: then the sound
ends where the file ends. Otherwise what follows the sound must be something else than more sound.
"""

import struct
from typing import NamedTuple

from .audio_faults import AudioFault, BadAudio, check_shape

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_BITS = {_PCM: {8, 16, 24, 32}, _FLOAT: {32, 64}, _A_LAW: {8}, _MU_LAW: {8}}
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")  # after the encoding, RFC 2361

_ABOUT_2_GB = 0x7FFF_0000

# Recorders that count the header as sound promise up to this many bytes too many.
_MISCOUNTED = 44

# The chunks that real files have. By its name, one is recognised whose length is wrong.
_LISTED = (
    "LIST INFO fact cue plst labl note smpl inst acid strc JUNK junk FLLR PAD bext iXML axml cart chna mext "
    "levl link umid afsp id3 ID3 _PMX DISP PEAK ResU LGWV minf elm1 regn DGDA Fake ds64 fmt"
)
_NAMES = frozenset(name.ljust(4).encode() for name in _LISTED.split())
_TAGS = (b"ID3", b"TAG", b"APETAGEX")  # no chunks, but written after them
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"
_SOUND = (b"data", b"RIFF", b"RF64", b"BW64", b"wavl", b"slnt")


class WavFormat(NamedTuple):
    encoding: int
    channels: int
    rate: int
    bits: int

    @property
    def frame(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.bits // 8


def plain(rate: int) -> WavFormat:
    """16 bits, one channel."""
    return WavFormat(_PCM, 1, rate, 16)


def is_wav(data: bytes) -> bool:
    return data[:4] in (b"RIFF", b"RF64", b"BW64") and data[8:12] == b"WAVE"


def parse(data: bytes) -> tuple[WavFormat, bytes]:
    """The encoding, and whole samples as they are in the file. Raises BadAudio."""
    at, fmt, long_size = 12, b"", 0
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"data":
            return _sound(data, at, long_size if size == 0xFFFF_FFFF and long_size else size, fmt)
        if size > len(data) - at:
            raise BadAudio(AudioFault.WAV_CHUNK_TRUNCATED, promised=f"{size:,}", held=f"{len(data) - at:,}")
        if name == b"fmt ":
            fmt = data[at : at + size]
        elif name == b"ds64" and size >= 16:
            (long_size,) = struct.unpack_from("<Q", data, at + 8)
        at = _after(data, at + size, size)
    raise BadAudio(AudioFault.WAV_WITHOUT_SOUND)


def whole(fmt: WavFormat, sound: bytes) -> bytes:
    """A WAV file with a plain header of 44 bytes."""
    body = struct.pack("<HHIIHH", *fmt[:3], fmt.rate * fmt.frame, fmt.frame, fmt.bits)
    head = struct.pack("<4sI8sI", b"RIFF", 36 + len(sound), b"WAVEfmt ", len(body))
    return head + body + struct.pack("<4sI", b"data", len(sound)) + sound


def _sound(data: bytes, at: int, size: int, fmt: bytes) -> tuple[WavFormat, bytes]:
    """The sound from ``at`` on, if its chunk has a ``size`` that can be believed."""
    encoded, held = _format(fmt), len(data) - at
    if _is_open(data, at, size):
        return _whole_samples(encoded, data[at:], cut_short=True)
    if size > held + _MISCOUNTED:
        raise BadAudio(AudioFault.WAV_SOUND_TRUNCATED, promised=f"{size:,}", held=f"{held:,}")
    end = at + min(size, held)
    more = _after(data, end, size)
    if len(data) - more >= encoded.frame and not _is_other_data(data, more):
        raise BadAudio(AudioFault.WAV_UNCOUNTED_SOUND, promised=f"{size:,}", more=f"{len(data) - more:,}")
    return _whole_samples(encoded, data[at:end], cut_short=size > held)


def _is_open(data: bytes, at: int, size: int) -> bool:
    """Whether a recorder that did not know the length wrote this one: 0, or about 2 or 4 GB."""
    if size:
        return size >= _ABOUT_2_GB
    (form,) = struct.unpack_from("<I", data, 4)
    return form + 8 == at or form == 0 or form >= _ABOUT_2_GB or not _is_other_data(data, at)


def _after(data: bytes, end: int, size: int) -> int:
    """Where the next chunk begins: at an even byte, but many recorders leave out the byte for that."""
    if size % 2 == 0 or (_is_name(data, end) and not _is_name(data, end + 1)):
        return end
    return end + 1


def _is_name(data: bytes, at: int) -> bool:
    name = data[at : at + 4]
    return name in _NAMES or name in _SOUND


def _is_other_data(data: bytes, at: int) -> bool:
    """Whether none of it is sound: chunks up to the end, a tag, text, or nothing at all."""
    while at < len(data):
        name = data[at : at + 4]
        if name in _SOUND:
            return False
        if data.startswith(_TAGS, at) or _is_text(data[at:]):
            return True
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > len(data) or not _is_text(name):
            return name in _NAMES
        at = _after(data, at + 8 + size, size)
    return True


def _is_text(some: bytes) -> bool:
    return not some.translate(None, _PRINTABLE)


def _format(fmt: bytes) -> WavFormat:
    """The body of a "fmt " chunk. Raises BadAudio if it contradicts itself."""
    if len(fmt) < 16:
        raise BadAudio(AudioFault.WAV_WITHOUT_FORMAT)
    encoding, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", fmt)
    if encoding == _EXTENSIBLE and fmt[26:40] == GUID_TAIL:
        (encoding,) = struct.unpack_from("<H", fmt, 24)
    if bits not in _BITS.get(encoding, ()):
        raise BadAudio(AudioFault.WAV_ENCODING, encoding=encoding, bits=bits)
    check_shape(rate, channels)
    # Bytes a second, the field skipped above, is wrong in many recorders' files, and nothing needs it.
    if align != channels * bits // 8:
        raise BadAudio(AudioFault.WAV_CONTRADICTION, channels=channels, bits=bits, bytes=align)
    return WavFormat(encoding, channels, rate, bits)


def _whole_samples(fmt: WavFormat, sound: bytes, *, cut_short: bool) -> tuple[WavFormat, bytes]:
    """Cut a partial sample from the end of ``sound`` if its recorder may have been interrupted."""
    odd = len(sound) % fmt.frame
    if odd and not cut_short:
        raise BadAudio(AudioFault.WAV_PARTIAL_SAMPLE)
    if len(sound) == odd:
        raise BadAudio(AudioFault.WAV_HEADER_ONLY)
    return fmt, sound[: len(sound) - odd]
