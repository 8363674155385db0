"""allauth's authenticators, with their data sealed under the person's data key.

allauth stores it as JSON: the secret of an authenticator app, the seed of the recovery codes, a passkey's key
and the name that its owner gave it. Its hooks for encryption cover only the first two and do not say whose
they are. So its column is exchanged for one that seals all of it when a row is saved, and opens it when the
data is read for the first time. The database has {"sealed": base64}.
"""

import json
from base64 import b64decode, b64encode
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from accounts import ciphers


def seal(row: Authenticator, key: bytes, plain: dict[str, Any]) -> dict[str, str]:
    sealed = ciphers.seal(key, json.dumps(plain).encode(), _label(row))
    return {"sealed": b64encode(sealed).decode()}


def unseal(row: Authenticator, key: bytes, stored: dict[str, str]) -> dict[str, Any]:
    """Raises ciphers.KeyLost."""
    opened: dict[str, Any] = json.loads(ciphers.unseal(key, b64decode(stored["sealed"]), _label(row)))
    return opened


def stored(row: Authenticator) -> dict[str, str]:
    """The data of a row that was just read, as the database has it."""
    data: dict[str, str] = row.__dict__["data"]
    return data


def _label(row: Authenticator) -> str:
    return f"{row.type} of {row.user_id}"


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"sealed"}


class OpenedOnRead(DeferredAttribute):
    """The data of one row. A row that is only counted or deleted needs no key."""

    def __get__(self, row: Authenticator | None, cls: Any = None) -> Any:
        value = super().__get__(row, cls)
        if row is not None and _is_sealed(value):
            value = row.__dict__[self.field.attname] = unseal(row, row.user.data_key.open(), value)
        return value

    def __set__(self, row: Authenticator, value: Any) -> None:
        row.__dict__[self.field.attname] = value


class SealedData(models.JSONField):
    """Looks like the column it takes the place of, so that allauth's migrations fit."""

    descriptor_class = OpenedOnRead

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        plain = super().pre_save(model_instance, add)
        return seal(model_instance, model_instance.user.data_key.open(), plain)


def _exchange_column() -> None:
    columns = Authenticator._meta.local_fields
    plain = next(column for column in columns if column.name == "data")
    if not isinstance(plain, SealedData):
        columns.remove(plain)
        column = SealedData()
        column.creation_counter = plain.creation_counter
        Authenticator.add_to_class("data", column)


_exchange_column()
