"""The pages of an Ogg file (RFC 3533), checked, and the streams that are chained in it. Pure.

A decoder stops after the first of several chained streams, and leaves out pages that are damaged or cut
short, all of it without a word.
"""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

_HEADER = 27  # bytes before a page's table of segments
_BEGINS = 2  # flag of a stream's first page
_NO_GRANULE = 2**64 - 1
_LATE = 2**40

# zlib has Ogg's checksum, but with the bits of each byte the other way round.
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class BrokenOgg(ValueError):
    """Part of the file is missing or damaged."""


class _Page(NamedTuple):
    start: int
    end: int
    flags: int
    granule: int  # the number of samples up to the end of this page, as its codec counts them
    stream: int
    number: int


def streams(data: bytes) -> list[bytes]:
    """The chained streams, each as a file of its own. Raises BrokenOgg unless every page is there, whole."""
    starts: list[int] = []
    last: dict[int, _Page] = {}
    was_beginning = False
    for page in _pages(data):
        begins = bool(page.flags & _BEGINS)
        if begins and not was_beginning:  # several that begin together are one film, not a chain
            starts.append(page.start)
            last.clear()
        _check_order(page, last)
        last[page.stream] = page if page.granule != _NO_GRANULE else page._replace(granule=0)
        was_beginning = begins
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def _pages(data: bytes) -> Iterator[_Page]:
    at = 0
    while at < len(data):
        if not data.startswith(b"OggS", at):
            if _is_a_tag(data, at):
                return
            raise BrokenOgg(f"no page at byte {at}")
        table = at + _HEADER
        body = table + (data[table - 1] if table <= len(data) else 0)
        end = body + sum(data[table:body])
        if max(body, end) > len(data):
            raise BrokenOgg(f"the page at byte {at} is cut short")
        number = [int.from_bytes(data[at + a : at + b], "little") for a, b in ((6, 14), (14, 18), (18, 22))]
        if _checksum(data[at : at + 22] + bytes(4) + data[at + 26 : end]) != data[at + 22 : at + 26]:
            raise BrokenOgg(f"the page at byte {at} is damaged")
        yield _Page(at, end, data[at + 5], *number)
        at = end


def _is_a_tag(data: bytes, at: int) -> bool:
    return data.startswith(b"TAG", at) and len(data) - at == 128


def _check_order(page: _Page, last: dict[int, _Page]) -> None:
    before = last.get(page.stream)
    if before is None:
        return
    if page.number != (before.number + 1) % 2**32:
        raise BrokenOgg(f"pages are missing before byte {page.start}")
    if page.granule < before.granule:
        raise BrokenOgg(f"the page at byte {page.start} ends before the page before it")


def _checksum(page: bytes) -> bytes:
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int(f"{mirrored:032b}"[::-1], 2).to_bytes(4, "little")


def unended(stream: bytes) -> bytes:
    """A Vorbis stream whose last page does not say where the sound ends, so that all of it is decoded."""
    *_, last = _pages(stream)
    page = bytearray(stream[last.start : last.end])
    page[6:14] = _LATE.to_bytes(8, "little")
    page[22:26] = bytes(4)
    page[22:26] = _checksum(bytes(page))
    return stream[: last.start] + bytes(page) + stream[last.end :]


def last_granule(stream: bytes) -> int:
    return max((page.granule for page in _pages(stream) if page.granule != _NO_GRANULE), default=0)


def opus_samples(stream: bytes) -> int:
    """How many samples at 48 kHz the packets of an Opus stream have, without those that a decoder skips."""
    packets = list(_packets(stream))
    skipped = int.from_bytes(packets[0][10:12], "little")
    return sum(map(_opus_packet_samples, packets[2:])) - skipped


def _packets(stream: bytes) -> Iterator[bytes]:
    """The first bytes of each packet, as many as there are in one segment."""
    is_new = True
    for page in _pages(stream):
        table = page.start + _HEADER
        sizes = stream[table : table + stream[table - 1]]
        at = table + len(sizes)
        for size in sizes:
            if is_new:
                yield stream[at : at + size]
            is_new = size < 255
            at += size


def _opus_packet_samples(packet: bytes) -> int:
    """RFC 6716, section 3.1: the first byte says how long a frame is, and how many there are."""
    if not packet:
        return 0
    kind, code = packet[0] >> 3, packet[0] & 3
    if kind < 12:
        frame = (480, 960, 1_920, 2_880)[kind % 4]
    elif kind < 16:
        frame = (480, 960)[kind % 2]
    else:
        frame = (120, 240, 480, 960)[kind % 4]
    count = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[code]
    return frame * count
