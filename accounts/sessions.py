"""Django's database sessions with a column for the person, so that erasing a person deletes theirs."""

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from .models import PersonalSession


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[PersonalSession]:
        return PersonalSession

    def create_model_instance(self, data: dict[str, Any]) -> PersonalSession:
        row = cast(PersonalSession, super().create_model_instance(data))
        row.person_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        return row
