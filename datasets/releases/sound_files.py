"""A released sound as a file: the WAV from the vault, or silence in its place.

In a release for everyone each file ends with its id, which is random for the release. So the hash of a file,
which mirrors publish and `checksums.sha256` lists, says nothing about the same clip in another release.
"""

import hashlib
import struct
from typing import NamedTuple

import numpy as np

from accounts.keys import KeyLost
from datasets.clips import disguise, vault
from datasets.models import Purpose, Release

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_COMMENT = struct.Struct("<4sI4s4sI")
RATE, BYTES = 16_000, 2  # samples a second, and bytes a sample


class Sound(NamedTuple):
    """Where the vault has a row's WAV, its key, and whether it may be sent now.

    `digest` is the SHA-256 of the published file, kept of an erased clip until the next recall feed.
    `is_disguised` says that it is sent disguised.
    """

    stored_as: str = ""
    key: bytes = b""
    may_be_sent: bool = False
    digest: bytes = b""
    is_disguised: bool = False


LOST = (vault.WrongSize, KeyLost, FileNotFoundError)


def size(seconds: float, mark: bytes) -> int:
    """How many bytes the file of a clip has."""
    return _HEADER.size + BYTES * round(seconds * RATE) + len(mark)


def mark(release: Release, public_id: str) -> bytes:
    """What follows the samples: in a release for everyone, a WAV's comment chunk with the row's id.

    >>> mark(Release(audience="public"), "0123")[-6:]
    b'0123\\x00\\x00'
    >>> mark(Release(audience="researchers"), "0123")
    b''
    """
    if release.audience != Purpose.PUBLIC:
        return b""
    return comment(public_id)


def comment(public_id: str) -> bytes:
    """A WAV's comment chunk with a row's id, by which no two files have a hash in common."""
    text = public_id.encode() + bytes(2 - len(public_id) % 2)
    return _COMMENT.pack(b"LIST", 12 + len(text), b"INFO", b"ICMT", len(text)) + text


def read_into(buffer: memoryview, sound: Sound, mark: bytes, hashing: bool) -> bytes:
    """Fill the buffer, which is as long as the file, and return the file's SHA-256.

    Without `hashing` it may be empty, because computing it takes as long as decrypting the sound does three
    times. Raises one of LOST.
    """
    digest = vault.read_into(buffer[: len(buffer) - len(mark)], sound.stored_as, sound.key)
    if sound.is_disguised:
        _disguise(buffer[_HEADER.size : len(buffer) - len(mark)], sound.key)
        digest = b""
    if mark:
        buffer[len(buffer) - len(mark) :] = mark
        struct.pack_into("<I", buffer, 4, len(buffer) - 8)
        digest = b""
    return hashlib.sha256(buffer).digest() if hashing and not digest else digest


def _disguise(samples: memoryview, key: bytes) -> None:
    """In place: a disguised sound has as many samples, and the same ones at each download."""
    heard = np.frombuffer(samples, "<i2")
    samples[:] = disguise.disguise(heard, disguise.coefficient(key)).astype("<i2").tobytes()


def digest(sound: Sound, size: int, mark: bytes) -> bytes:
    """The SHA-256 of the file, whether or not it may be sent; empty if the sound is gone."""
    if sound.digest or not sound.stored_as:
        return sound.digest
    try:
        return read_into(memoryview(bytearray(size)), sound, mark, hashing=True)
    except LOST:
        return b""


def silence_into(buffer: memoryview, mark: bytes) -> None:
    """Fill the buffer with a WAV of its size in which nothing is heard."""
    samples = len(buffer) - _HEADER.size - len(mark)
    form = b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * BYTES, BYTES, 8 * BYTES
    buffer[:] = _HEADER.pack(b"RIFF", len(buffer) - 8, *form, b"data", samples) + bytes(samples) + mark
