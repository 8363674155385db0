"""Structures in Thrift's compact protocol, as far as Parquet's footers need it.

The protocol is https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Sequence

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12

# What a field holds: its type and its bytes.
Field = tuple[int, bytes]


def structure(*fields: tuple[int, Field]) -> bytes:
    """Fields by their numbers, which rise by at most 15."""
    made, last = bytearray(), 0
    for number, (kind, content) in fields:
        made.append((number - last) << 4 | kind)
        made += content
        last = number
    return bytes(made) + b"\0"


def nested(*fields: tuple[int, Field]) -> Field:
    return STRUCT, structure(*fields)


def structures(items: Sequence[bytes]) -> Field:
    return _list(STRUCT, items)


def texts(items: Sequence[str]) -> Field:
    return _list(BINARY, [_bytes(item) for item in items])


def i32s(numbers: Sequence[int]) -> Field:
    return _list(I32, [varint(_zigzag(number)) for number in numbers])


def text(text: str) -> Field:
    return BINARY, _bytes(text)


def i32(number: int) -> Field:
    return I32, varint(_zigzag(number))


def i64(number: int) -> Field:
    return I64, varint(_zigzag(number))


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have the eighth bit.

    >>> varint(300).hex()
    'ac02'
    """
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def _list(kind: int, items: Sequence[bytes]) -> Field:
    count = len(items)
    head = bytes([count << 4 | kind]) if count < 15 else bytes([0xF0 | kind]) + varint(count)
    return LIST, head + b"".join(items)


def _bytes(text: str) -> bytes:
    return varint(len(text.encode())) + text.encode()


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else -number * 2 - 1
