"""Find a canary in bytes in any encoding, for tests of what is left of a person.

A text is searched as it is and in each of its encodings, at every offset. Then everything in the bytes that
looks encoded or packed is unpacked and searched again, to a bounded depth. So this reads sessions (base64
over zlib), queued tasks (base64 over JSON), dumps (hexadecimal), pickles and archives within archives.
Sound is found by any 64 consecutive bytes of its samples.
"""

import base64
import bz2
import io
import json
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from urllib.parse import quote, unquote_to_bytes

import numpy as np

MAX_DEPTH = 5
MAX_PACKED = 16_000_000  # bytes of one packed item
MAX_UNPACKED = 64_000_000
HASH_BITS = 20
BLOCK = 32  # any 64 consecutive bytes of a sound include one whole block that begins at a multiple of 32
MIN_RUN = 20  # a canary in a shorter run of letters is found by its own encodings


class Scanner:
    """Takes canaries by name: a text as str, a sound as the bytes of its samples."""

    def __init__(self, canaries):
        self.needles = Needles()
        for name, canary in canaries.items():
            for how, needle in encodings(canary) if isinstance(canary, str) else blocks(canary):
                self.needles.add(needle, (name, how))
        self.needles.sort()

    def find(self, data):
        """{(name of a canary, how it was found)}, such as ("mail", "gzip > base64 at 1")."""
        return set(self._find(bytes(data), (), 0))

    def names(self, data):
        return {name for name, _how in self.find(data)}

    def _find(self, data, path, depth):
        for name, how in self.needles.find(data):
            yield name, " > ".join((*path, how))
        if depth < MAX_DEPTH:
            for how, content in unpacked(data):
                yield from self._find(content, (*path, how), depth + 1)


def hashed(words):
    """The upper bits of a product with an odd constant (Knuth's multiplicative hash)."""
    return (words * np.uint64(0x9E37_79B9_7F4A_7C15)) >> np.uint64(64 - HASH_BITS)


class Needles:
    """Searches for many byte strings together, comparing each place in the data by its first eight bytes."""

    def __init__(self):
        self.by_start = {}

    def add(self, needle, name):
        self.by_start.setdefault(needle[:8], {})[needle] = name

    def sort(self):
        self.starts = np.sort(np.frombuffer(b"".join(self.by_start), "<u8"))
        # A hash of its eight bytes rules out nearly every place.
        self.likely = np.zeros(1 << HASH_BITS, bool)
        self.likely[hashed(self.starts)] = True

    def find(self, data):
        return {
            name
            for shift in range(min(8, len(data)))
            for at in self._places(data, shift)
            for needle, name in self.by_start.get(data[at : at + 8], {}).items()
            if data.startswith(needle, at)
        }

    def _places(self, data, shift):
        words = np.frombuffer(data, "<u8", count=(len(data) - shift) // 8, offset=shift)
        maybe = np.flatnonzero(self.likely[hashed(words)])
        found = words[maybe]
        nearest = self.starts[np.searchsorted(self.starts, found) % len(self.starts)]
        return maybe[nearest == found] * 8 + shift


def blocks(pcm):
    """A sound in pieces, leaving out silence, which any file may contain."""
    for start in range(0, len(pcm) - BLOCK + 1, BLOCK):
        if len(set(pcm[start : start + BLOCK])) > 12:
            yield "samples", pcm[start : start + BLOCK]


def encodings(text):
    """(name, bytes) for every way to encode the text."""
    plain = text.encode()
    yield "plain", plain
    for order in ("le", "be"):
        yield f"utf-16-{order}", text.encode(f"utf-16-{order}")
    for kind, body in (("", plain), ("utf-16 ", text.encode("utf-16-le"))):
        for offset in range(3):
            shown = base64_at(body, offset)
            yield f"{kind}base64 at {offset}", shown
            yield f"{kind}base64 (url-safe) at {offset}", shown.translate(bytes.maketrans(b"+/", b"-_"))
        yield f"{kind}hex", body.hex().encode()
        yield f"{kind}HEX", body.hex().upper().encode()
    yield "url", quote(text, safe="").encode()
    yield "url, all", "".join(f"%{byte:02X}" for byte in plain).encode()
    yield "url, all, lower", "".join(f"%{byte:02x}" for byte in plain).encode()
    yield "raw unicode escapes", text.encode("raw_unicode_escape")
    yield "unicode escapes", text.encode("unicode_escape")
    yield "json", json.dumps(text)[1:-1].encode()
    units = struct.unpack(f"<{len(text.encode('utf-16-le')) // 2}H", text.encode("utf-16-le"))
    yield "json, all", "".join(f"\\u{unit:04x}" for unit in units).encode()
    yield "JSON, all", "".join(f"\\u{unit:04X}" for unit in units).encode()


def base64_at(body, offset):
    """The part of its base64 that is the same after any `offset` bytes (mod 3) and before anything."""
    shown = base64.b64encode(bytes(offset) + body)
    first = -(-offset * 8 // 6)
    return shown[first : (offset + len(body)) * 8 // 6]


def unpacked(data):
    """(how, bytes) of everything in the data that can be unpacked."""
    yield from _decoded_runs(data)
    for how, magic, open_one in PACKED:
        for found in re.finditer(magic, data):
            content = open_one(data, found.start())
            if content:
                yield how, content


def _decoded_runs(data):
    """All runs of one kind, decoded and joined, so that they cost one search and not thousands."""
    runs = re.findall(rb"[A-Za-z0-9+/_-]{%d,}+" % MIN_RUN, data)
    straight = bytes.maketrans(b"-_", b"+/")
    for skip in range(4) if runs else ():
        whole = (run[skip : len(run) - (len(run) - skip) % 4].translate(straight) for run in runs)
        yield "base64", b"\0\0".join(map(base64.b64decode, whole))
    runs = re.findall(rb"[0-9A-Fa-f]{%d,}+" % (2 * MIN_RUN), data)
    for skip in range(2) if runs else ():
        whole = (run[skip : len(run) - (len(run) - skip) % 2].decode() for run in runs)
        yield "hex", b"\0\0".join(map(bytes.fromhex, whole))
    if around := _around(URL, data):
        yield "url", unquote_to_bytes(around)
    if (b"\\u" in data or b"\\x" in data) and (around := _around(ESCAPES, data)):
        yield "escapes", ESCAPES.sub(_unescaped, around)


URL = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
ESCAPES = re.compile(rb"((?:\\+u[0-9A-Fa-f]{4})+)|((?:\\+x[0-9A-Fa-f]{2})+)")
NEARBY = 100  # bytes before and after an escape, which may be a canary's other letters


def _around(pattern, data):
    """Only the surroundings of matches, because most of a large file needs no second search."""
    parts, done = [], 0
    for found in pattern.finditer(data):
        start, end = max(found.start() - NEARBY, done), found.end() + NEARBY
        parts.append((b"\0\0" if start > done else b"") + data[start:end])
        done = min(end, len(data))
    return b"".join(parts)


def _unescaped(run):
    digits = re.sub(rb"\\+[ux]", b"", run[0]).decode()
    if run[2]:
        return bytes.fromhex(digits)
    return bytes.fromhex(digits).decode("utf-16-be", errors="replace").encode()


def _inflated(window):
    def inflate(data, start):
        try:
            return zlib.decompressobj(window).decompress(
                memoryview(data)[start : start + MAX_PACKED], MAX_UNPACKED
            )
        except zlib.error:
            return b""

    return inflate


def _by(opener):
    def decompress(data, start):
        try:
            return opener().decompress(data[start : start + MAX_PACKED], MAX_UNPACKED)
        except (OSError, EOFError, lzma.LZMAError):
            return b""

    return decompress


def _zip_member(data, start):
    """A member found by its own header, because the directory at the end may be cut off."""
    header = data[start : start + 30]
    if len(header) < 30:
        return b""
    method, name, extra = (struct.unpack_from("<H", header, at)[0] for at in (8, 26, 28))
    body = start + 30 + name + extra
    return _inflated(-15)(data, body) if method == 8 else b""


PACKED = [
    ("gzip", rb"\x1f\x8b\x08", _inflated(31)),
    ("zlib", rb"\x78[\x01\x5e\x9c\xda]", _inflated(15)),
    ("bz2", rb"BZh[1-9]1AY&SY", _by(bz2.BZ2Decompressor)),
    ("xz", rb"\xfd7zXZ\0", _by(lzma.LZMADecompressor)),
    ("zip", rb"PK\x03\x04", _zip_member),
]


def zipped(name, body):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, body)
    return file.getvalue()


def tarred(name, body, mode="w"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as packed:
        entry = tarfile.TarInfo(name)
        entry.size = len(body)
        packed.addfile(entry, io.BytesIO(body))
    return file.getvalue()
