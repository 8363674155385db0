"""What was said in a clip, as rows hold it: labels in plain, words sealed under the speaker's key.

A transcript is as much its speaker's as the sound is. So it is erased with the same key, from rows, from the
journal and from every backup, and whoever reads a stolen database reads none.
"""

import json
from collections.abc import Callable
from typing import Any, Protocol

from accounts.ciphers import seal, unseal


class _Clip(Protocol):
    @property
    def key(self) -> bytes: ...


class _Campaign(Protocol):
    @property
    def asks_for_words(self) -> bool: ...


class _Task(Protocol):
    """What is needed of the task that a row belongs to."""

    clip_id: int
    campaign_id: int

    @property
    def clip(self) -> _Clip: ...

    @property
    def campaign(self) -> _Campaign: ...


def words(name: str, of: Callable[[Any], _Task], always: bool = False) -> property:
    """A property over the columns `plain_NAME` and `sealed_NAME`; `of` finds the row's task.

    Takes and gives what JSON can hold. Where the campaign asks for labels it lies in plain, so that the
    database can count; where it asks for words, or `always`, sealed. None is stored as nothing at all. Raises
    accounts.ciphers.KeyLost when the speaker's key is gone.
    """
    plain, sealed = f"plain_{name}", f"sealed_{name}"

    def label(row: Any) -> str:
        task = of(row)
        return sealed_as(type(row), name, task.clip_id, task.campaign_id)

    def read(row: Any) -> Any:
        held = bytes(getattr(row, sealed))
        return json.loads(unseal(of(row).clip.key, held, label(row))) if held else getattr(row, plain)

    def write(row: Any, value: Any) -> None:
        task = of(row)
        hide = (always or task.campaign.asks_for_words) and value is not None
        empty = type(row)._meta.get_field(plain).get_default()
        setattr(row, plain, empty if hide else value)
        setattr(row, sealed, sealed_value(task.clip.key, value, label(row)) if hide else b"")

    return property(read, write)


def sealed_as(model: Any, name: str, clip_id: int, campaign_id: int) -> str:
    """What is bound into the ciphertext of a row's words: whose they are, and of which question."""
    return f"{model._meta.label_lower} {name}, clip {clip_id}, campaign {campaign_id}"


def sealed_value(key: bytes, value: Any, label: str) -> bytes:
    return seal(key, json.dumps(value).encode(), label)


def columns(*names: str) -> list[str]:
    """The columns behind such properties, for `update_fields`."""
    return [f"{kind}_{name}" for name in names for kind in ("plain", "sealed")]
