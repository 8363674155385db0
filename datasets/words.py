"""Answers in rows: labels are stored in plain, words sealed under the key of the clip they were said in.

A transcript belongs to its speaker as much as the sound does. So it is erased with the same key, from rows,
from the journal and from every backup, and no one can read it in a stolen database.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from accounts.ciphers import seal, unseal


class _Clip(Protocol):
    @property
    def key(self) -> bytes: ...


class _Campaign(Protocol):
    @property
    def asks_for_words(self) -> bool: ...


class _Task(Protocol):
    """What this module needs of the task that a row belongs to."""

    clip_id: int
    campaign_id: int

    @property
    def clip(self) -> _Clip: ...

    @property
    def campaign(self) -> _Campaign: ...


class Words(property):
    """A property that `words` made, under the `name` of its columns. `always`: sealed in every campaign."""

    name: str
    always: bool


def words(name: str, task_of: Callable[[Any], _Task], always: bool = False, sealed_as: str = "") -> Words:
    """A property over the columns `plain_NAME` and `sealed_NAME`. `task_of` returns a row's task.

    `sealed_as`: the model under whose name older rows were sealed, if it was another one.

    Its values are JSON. If the campaign asks for labels they are stored in plain, so that the database can
    count them; if it asks for words, or with `always`, they are sealed. None is stored as an empty value.
    Raises accounts.ciphers.KeyLost if the speaker's key was destroyed.
    """
    plain, sealed = f"plain_{name}", f"sealed_{name}"

    def label(row: Any) -> str:
        task = task_of(row)
        return seal_label(sealed_as or type(row), name, task.clip_id, task.campaign_id)

    def read(row: Any) -> Any:
        ciphertext = bytes(getattr(row, sealed))
        if not ciphertext:
            return getattr(row, plain)
        return json.loads(unseal(task_of(row).clip.key, ciphertext, label(row)))

    def write(row: Any, value: Any) -> None:
        task = task_of(row)
        hide = (always or task.campaign.asks_for_words) and value is not None
        empty = type(row)._meta.get_field(plain).get_default()
        setattr(row, plain, empty if hide else value)
        setattr(row, sealed, sealed_value(task.clip.key, value, label(row)) if hide else b"")

    made = Words(read, write)
    made.name, made.always = name, always
    return made


def of_model(model: type) -> Iterator[Words]:
    """The properties of a model that hold words."""
    return (each for each in vars(model).values() if isinstance(each, Words))


def seal_label(model: Any, name: str, clip_id: int, campaign_id: int) -> str:
    """What is authenticated together with a row's sealed words: the clip and the campaign they belong to."""
    made_for = model if isinstance(model, str) else model._meta.label_lower
    return f"{made_for} {name}, clip {clip_id}, campaign {campaign_id}"


def sealed_value(key: bytes, value: Any, label: str) -> bytes:
    return seal(key, json.dumps(value).encode(), label)


def columns(*names: str) -> list[str]:
    """The columns behind these properties, for `update_fields`."""
    return [f"{kind}_{name}" for name in names for kind in ("plain", "sealed")]
