"""Finds the frames of an MP3 file, whatever lies before, between and after them. Pure.

A decoder stops at the length in the file's Info frame (also called Xing frame) or, without one, where the
first frame's bitrate says. So the frames are counted here, and an Info frame that counts them wrong is
replaced.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Kilobits per second, by bitrate index, for each version and layer as the header has them. The index 0,
# free format, is left out: such a frame does not say how long it is.
_KILOBITS = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    **dict.fromkeys([(2, 3), (0, 3)], (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256)),
    **dict.fromkeys(
        [(2, 2), (0, 2), (2, 1), (0, 1)], (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    ),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LAYER_3 = 1

_HEAD = re.compile(
    b"\xff[%s][%s]."
    % (
        re.escape(bytes(b for b in range(0xE0, 256) if (b >> 3 & 3, b >> 1 & 3) in _KILOBITS)),
        re.escape(bytes(b for b in range(256) if 1 <= b >> 4 <= 14 and b >> 2 & 3 != 3)),
    ),
    re.DOTALL,
)

# So many frames of one kind in a row tell that a file is an MP3 at all. After that two of the same kind do.
_FIRST_IN_A_ROW, _IN_A_ROW = 4, 2

# The most samples that an encoder pads a file with, at either end. A larger figure would cut off sound.
_MOST_PADDING = 2_400

# Samples at the start that are the decoder's own: it leaves them out whenever there is an Info frame.
DECODER_DELAY = 529


@dataclass(frozen=True)
class Frame:
    """`head` is its first four bytes."""

    start: int
    size: int
    samples: int
    rate: int
    head: int

    @property
    def kind(self) -> int:
        """Version, layer and sample rate, which all frames of a file have in common."""
        return self.head & 0xFFFE_0C00


@dataclass(frozen=True)
class Frames:
    """The whole frames of a file that contain sound, at least one, and the Info frame before them."""

    data: bytes
    sound: Sequence[Frame]
    info: Frame | None

    @property
    def samples(self) -> int:
        return sum(frame.samples for frame in self.sound)

    @property
    def is_one_stream(self) -> bool:
        return len({frame.kind for frame in self.sound}) == 1

    def padding(self) -> int | None:
        """How many samples a decoder leaves out by the Info frame; None if that frame cannot be true."""
        if self.info is None:
            return 0
        at = self.info.start + _info_offset(self.info.head)
        flags, count = _number(self.data, at + 4, 4), _number(self.data, at + 8, 4)
        if not flags & 1 or count != len(self.sound):
            return None
        # The flags say which of four fields there are. The encoder's name follows, with its padding after it.
        end = at + 8 + sum(size for bit, size in enumerate((4, 4, 100, 4)) if flags >> bit & 1)
        both = _number(self.data, end + 21, 3)
        before, after = both >> 12, both & 0xFFF
        return None if max(before, after) > _MOST_PADDING else before + after

    def joined(self) -> bytes:
        """The frames without what lies before, between and after them."""
        return self._bytes_of([self.info, *self.sound] if self.info else self.sound)

    def recounted(self) -> bytes:
        """The same under a new Info frame, with which a decoder reads them all, whatever the old one said."""
        first = self.sound[0]
        header = _info_frame(first, len(self.sound)) if first.head >> 17 & 3 == _LAYER_3 else b""
        return header + self._bytes_of(self.sound)

    def _bytes_of(self, frames: Sequence[Frame]) -> bytes:
        return b"".join(self.data[each.start : each.start + each.size] for each in frames)


def frames(data: bytes, seconds: float) -> Frames | None:
    """The frames of ``data``, at most those that begin within ``seconds``; None if it has none."""
    sound: list[Frame] = []
    info = None
    for frame in _walk(data):
        if seconds < 0:
            break
        if _is_info(data, frame):
            info = info or frame
        else:
            sound.append(frame)
            seconds -= frame.samples / frame.rate
    return Frames(data, sound, info) if sound else None


def end_of_tags(data: bytes, at: int = 0) -> int:
    """Where the ID3v2 tags end that begin at ``at``: a tag with a picture is longer than many a clip."""
    while data[at : at + 3] == b"ID3" and len(data) >= at + 10:
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        has_footer = data[at + 5] & 0x10
        at += size + (20 if has_footer else 10)
    return at


def _walk(data: bytes) -> Iterator[Frame]:
    start = end_of_tags(data)
    first = _next(data, start, None)
    frame = first and _next(data, start, first.kind)
    while frame:
        yield frame
        at = end_of_tags(data, frame.start + frame.size)
        follower = _frame(data, at)
        frame = follower if follower and follower.kind == frame.kind else _next(data, at, frame.kind)


def _next(data: bytes, at: int, kind: int | None) -> Frame | None:
    """The next frame from ``at`` on that enough others follow; fewer if it is of this ``kind``."""
    for found in _HEAD.finditer(data, at):
        frame = _frame(data, found.start())
        if frame and _is_followed(data, frame, _IN_A_ROW if frame.kind == kind else _FIRST_IN_A_ROW):
            return frame
    return None


def _is_followed(data: bytes, first: Frame, in_a_row: int) -> bool:
    """Whether frames of the same kind follow, or the file ends after it; the last one may be cut off."""
    at = first.start + first.size
    for _ in range(in_a_row - 1):
        if at >= len(data) or data[at : at + 3] == b"TAG":
            return True
        head = _number(data, at, 4)
        if not _HEAD.match(data, at) or head & 0xFFFE_0C00 != first.kind:
            return False
        at += _size(head)
    return True


def _frame(data: bytes, at: int) -> Frame | None:
    """The frame at ``at``, if there is a whole one."""
    if not _HEAD.match(data, at):
        return None
    head = _number(data, at, 4)
    version, layer, _, rate = _fields(head)
    samples = 384 if layer == 3 else 576 if layer == _LAYER_3 and version != 3 else 1_152
    frame = Frame(at, _size(head), samples, rate, head)
    return frame if at + frame.size <= len(data) else None


def _size(head: int) -> int:
    version, layer, bits, rate = _fields(head)
    padding = head >> 9 & 1
    if layer == 3:
        return (12 * bits // rate + padding) * 4
    return (72 if layer == _LAYER_3 and version != 3 else 144) * bits // rate + padding


def _fields(head: int) -> tuple[int, int, int, int]:
    """Version, layer, bits per second and samples per second."""
    version, layer = head >> 19 & 3, head >> 17 & 3
    return version, layer, _KILOBITS[version, layer][head >> 12 & 15] * 1_000, _RATES[version][head >> 10 & 3]


def _is_info(data: bytes, frame: Frame) -> bool:
    if frame.head >> 17 & 3 != _LAYER_3:
        return False
    at = frame.start + _info_offset(frame.head)
    return data[at : at + 4] in (b"Xing", b"Info") or data[frame.start + 36 : frame.start + 40] == b"VBRI"


def _info_offset(head: int) -> int:
    """After the head, a checksum if there is one, and what a frame of sound would have at its start."""
    is_mono, is_version_1, has_checksum = head >> 6 & 3 == 3, head >> 19 & 3 == 3, not head >> 16 & 1
    side = (17 if is_mono else 32) if is_version_1 else (9 if is_mono else 17)
    return 4 + (2 if has_checksum else 0) + side


def _info_frame(like: Frame, count: int) -> bytes:
    plain = like.head & 0xFFFF_0DFF | 0x1_0000  # no bitrate, no padding, no checksum
    head = next(plain | index << 12 for index in range(1, 15) if _size(plain | index << 12) >= 180)
    body = b"Info" + (1).to_bytes(4) + count.to_bytes(4)
    return (head.to_bytes(4).ljust(_info_offset(head), b"\0") + body).ljust(_size(head), b"\0")


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size])
