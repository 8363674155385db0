"""Passwords that someone tries, counted before they are checked, so that parallel tries pass no limit.

One stranger who guesses is stopped at their address, and only there: the owner gets in from elsewhere. Many
strangers are stopped by the limit for the account. In a browser where the owner logged in before, neither
stops the owner: such a browser has its own limit.
"""

from datetime import datetime

from django.http import HttpRequest

from . import client_addresses, known_browsers, limits, names
from .models import User


def count_log_in(request: HttpRequest, pseudonym: str, now: datetime) -> limits.Counted:
    """To be taken back if the password was right. Raises LimitReached."""
    account, address = names.looked_up(pseudonym), client_addresses.client(request)
    if browser := known_browsers.number(request, pseudonym):
        return limits.count(now, (limits.KNOWN_BROWSER, limits.subject(account, browser)))
    limits.count(now, (limits.LOG_INS, address))
    return limits.count(
        now,
        (limits.ACCOUNT_AT_ADDRESS, limits.subject(account, address)),
        (limits.ADDRESS, address),
        (limits.ACCOUNT, account),
    )


def count_confirmation(person: User, now: datetime) -> limits.Counted:
    """Of someone who is logged in and types the password again. Raises LimitReached."""
    return limits.count(now, (limits.CONFIRMATIONS, str(person.pk)))


def forget_wrong_ones(request: HttpRequest, person: User, now: datetime) -> None:
    """The person set a new password, after wrong tries at this address."""
    here = limits.subject(names.looked_up(person.pseudonym), client_addresses.client(request))
    limits.forget(now, (limits.ACCOUNT_AT_ADDRESS, here))
    limits.forget(now, (limits.CONFIRMATIONS, str(person.pk)))
