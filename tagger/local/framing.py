"""How long a request is, by its head alone: what the web server must know before a thread takes it."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_HEADER = re.compile(rb"\r\n(content-length|transfer-encoding|expect):[ \t]*([^\r\n]*)", re.I)
_EXPECT = re.compile(rb"\r\nexpect:[^\r\n]*", re.I)


@dataclass(frozen=True)
class Head:
    """`size`: bytes of the head; `length`: bytes of the body, None if the head does not say it in one way."""

    size: int
    address: str
    length: int | None
    awaits_continue: bool


def head_of(received: bytes | bytearray) -> Head | None:
    """The head of the request that begins here; None while it is incomplete.

    >>> head_of(b"POST /tag/?a=1 HTTP/1.1\\r\\nContent-Length: 3\\r\\n\\r\\nab")
    Head(size=46, address='/tag/', length=3, awaits_continue=False)
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(received[:end])
    headers = [(name.lower(), value.strip()) for name, value in _HEADER.findall(head)]
    expected = any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers)
    return Head(end + 4, _address(head), _length(headers), expected)


def without_expect(received: bytes | bytearray, head: Head) -> bytes:
    """The same bytes without the header Expect, once it is answered."""
    return _EXPECT.sub(b"", bytes(received[: head.size])) + received[head.size :]


def _address(head: bytes) -> str:
    words = head.split(b"\r\n", 1)[0].split(b" ")
    return unquote_to_bytes(words[1].split(b"?")[0]).decode(errors="replace") if len(words) > 1 else ""


def _length(headers: list[tuple[bytes, bytes]]) -> int | None:
    lengths = [value for name, value in headers if name == b"content-length"]
    if any(name == b"transfer-encoding" for name, _value in headers) or len(lengths) > 1:
        return None
    if not lengths:
        return 0
    return int(lengths[0]) if lengths[0].isdigit() and len(lengths[0]) < 20 else None
