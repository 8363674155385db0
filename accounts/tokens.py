"""Token authentication for programs: one query, by the token's hash."""

import binascii
from functools import cache
from typing import Any

from django.db import Error, connection
from django.utils.translation import gettext as _
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from . import prepared
from .models import User


class TokenAuthentication(KnoxTokenAuthentication):
    """Like Knox's, with one query where Knox looks for the token's prefix and then for expired tokens.

    `request.auth` is the token's hash.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, str]:
        try:
            digest = hash_token(token.decode())
        except (TypeError, ValueError, binascii.Error) as error:
            raise AuthenticationFailed(_("Invalid token.")) from error
        found = _person(digest)
        if found is None:
            raise AuthenticationFailed(_("Invalid token."))
        person = User.from_db("default", _columns(), found)
        if not person.is_active:
            raise AuthenticationFailed(_("User inactive or deleted."))
        return person, digest


class Scheme(KnoxTokenScheme):
    """How the API schema describes it."""

    target_class = "accounts.tokens.TokenAuthentication"


def _person(digest: str) -> tuple[Any, ...] | None:
    """The person's columns. It is a request's first statement, so it also serves as the health check."""
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return prepared.one("person_of_token", _person_of_token(), (digest,))
    except Error:  # psycopg2 reports a lost connection by several exception classes
        if connection.is_usable():
            raise
        connection.close()
        return prepared.one("person_of_token", _person_of_token(), (digest,))


@cache
def _columns() -> list[str]:
    return [field.attname for field in User._meta.concrete_fields]


@cache
def _person_of_token() -> str:
    columns = ", ".join(f"person.{field.column}" for field in User._meta.concrete_fields)
    return f"""
        SELECT {columns} FROM {AuthToken._meta.db_table} token
        JOIN {User._meta.db_table} person ON person.id = token.user_id
        WHERE token.digest = %s AND (token.expiry IS NULL OR token.expiry > now())
    """
