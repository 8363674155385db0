"""Browsers in which someone logged in before, so that a stranger's guesses do not lock this person out there.

A browser keeps a random number and its hash with the account's name under SECRET_KEY. No one can make one for
an account that they cannot log in to, it names no one, and nothing is stored about it here.
"""

import secrets

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

from . import names

SECONDS = 90 * 24 * 60 * 60


def cookie() -> str:
    """Its name."""
    return f"{settings.COOKIE_PREFIX}known_browser"


def remember(response: HttpResponseBase, pseudonym: str) -> None:
    number = secrets.token_urlsafe(16)
    response.set_cookie(
        cookie(),
        f"{number}.{_proof(number, pseudonym)}",
        max_age=SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponseBase) -> None:
    response.delete_cookie(cookie(), samesite="Lax")


def number(request: HttpRequest, pseudonym: str) -> str:
    """The browser's number if this account was logged in to in it, else nothing."""
    number, _dot, proof = request.COOKIES.get(cookie(), "").partition(".")
    return number if number and constant_time_compare(proof, _proof(number, pseudonym)) else ""


def _proof(number: str, pseudonym: str) -> str:
    text = f"{number}\0{names.looked_up(pseudonym)}"
    return salted_hmac("accounts.known_browsers", text, algorithm="sha256").hexdigest()
