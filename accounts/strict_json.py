"""JSON from strangers: one meaning for everyone who reads it, or a refusal that says what is wrong."""

import json
import math
from enum import StrEnum
from typing import Any, NoReturn

from .refusals import Refusal


class JsonFault(StrEnum):
    NOT_UTF8 = "json-is-not-utf8"
    NOT_JSON = "not-json"
    TOO_DEEP = "json-nested-too-deeply"
    NOT_A_NUMBER = "json-number-not-finite"
    REPEATED_KEY = "json-repeated-key"
    NOT_TEXT = "json-text-not-unicode"


class BadJson(Refusal):
    """Not JSON as RFC 8259 has it, or JSON that two programs may read differently."""


def read(data: bytes) -> Any:
    """The value. Raises BadJson.

    >>> read(b'{"answer": "yes"}')
    {'answer': 'yes'}
    """
    try:
        text = data.decode()
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_repetition
        )
        if "\\u" in text and not _is_text(value):  # half a surrogate pair, which no database can hold
            raise BadJson(JsonFault.NOT_TEXT, where=_not_text(value))
    except UnicodeDecodeError as error:
        raise BadJson(JsonFault.NOT_UTF8, byte=error.start) from None
    except RecursionError:
        raise BadJson(JsonFault.TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise BadJson(JsonFault.NOT_JSON, line=error.lineno, column=error.colno) from None
    except ValueError:  # a whole number of more digits than Python reads
        raise BadJson(JsonFault.NOT_A_NUMBER) from None
    return value


def _not_text(value: Any) -> str:
    """The field that has half of a surrogate pair, where one can be named."""
    fields = value.items() if isinstance(value, dict) else ()
    return next((name for name, each in fields if _is_text(name) and not _is_text(each)), "body")


def _is_text(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise BadJson(JsonFault.NOT_A_NUMBER)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise BadJson(JsonFault.NOT_A_NUMBER)
    return number


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJson(JsonFault.REPEATED_KEY)
    return found
