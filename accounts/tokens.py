"""Token authentication for programs: one query, by the token's hash, and only for the token's scopes."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import Error, connection, models, transaction
from django.utils.translation import gettext as _
from drf_spectacular.authentication import TokenScheme
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from . import audit, journal, prepared
from .models import ProgramToken, Scope, User

# Ended tokens are kept for a while, so that their programs are told why they are refused.
KEPT_AFTER_END = timedelta(days=7)
ANY_SCOPE = tuple(Scope)


class TokenAuthentication(authentication.TokenAuthentication):
    """Finds the person in one query. `request.auth` is the token's hash.

    A view names in `token_scopes` the scopes of which a token needs one. A view that names none takes no
    token, whatever its permissions are.
    """

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        person, (digest, scopes) = found
        _check_scope(request.parser_context["view"], scopes)
        return person, digest

    def authenticate_credentials(self, key: str) -> tuple[User, tuple[str, list[str]]]:
        digest = ProgramToken.digest_of(key)
        found = _person(digest)
        if found is None:
            raise AuthenticationFailed(_("Invalid token."))
        has_ended, scopes, *columns = found
        if has_ended:
            raise AuthenticationFailed("This token has expired. Make a new one on your profile page.")
        person = User.from_db("default", _columns(), columns)
        if not person.may_log_in:
            raise AuthenticationFailed(_("User inactive or deleted."))
        return person, (digest, scopes)


class Scheme(TokenScheme):
    """How the API schema describes it."""

    target_class = "accounts.tokens.TokenAuthentication"


def revoke(tokens: models.QuerySet[ProgramToken], now: datetime) -> int:
    """Delete these tokens, also in every backup that is restored; returns how many."""
    with transaction.atomic():
        gone = list(tokens.select_for_update().select_related("user"))
        for token in gone:
            journal.append("token", now, digest=token.digest)
        for person, number in Counter(token.user for token in gone).items():
            audit.record(audit.Act.REVOKED_TOKEN, f"person {person.pk}", person, now, {"number": number})
        return ProgramToken.objects.filter(pk__in=[token.pk for token in gone]).delete()[0]


def delete_ended(now: datetime) -> int:
    return ProgramToken.objects.filter(expires_at__lte=now - KEPT_AFTER_END).delete()[0]


def _check_scope(view: Any, scopes: Iterable[str]) -> None:
    wanted = [Scope(scope).value for scope in getattr(view, "token_scopes", ())]
    if not wanted:
        raise PermissionDenied("This call takes no tokens.")
    if not set(wanted).intersection(scopes):
        words = (
            f"This token lacks the scope {' or '.join(wanted)}. Make one that has it on your profile page."
        )
        raise PermissionDenied({"detail": words, "missing_scope": " ".join(wanted)})


def _person(digest: str) -> tuple[Any, ...] | None:
    """Whether the token has ended, its scopes, and the person's columns.

    It is a request's first statement, so it also serves as the health check.
    """
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
        SELECT token.expires_at <= now(), token.scopes, {columns} FROM {ProgramToken._meta.db_table} token
        JOIN {User._meta.db_table} person ON person.id = token.user_id
        WHERE token.digest = %s
    """
