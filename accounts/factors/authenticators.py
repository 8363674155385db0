"""What happens to a person's factors: one is added, used, removed, reset, or sealed under another key.

What ends is journaled before it is committed, so that no restored backup brings it back: a factor that was
removed, and a recovery code that was used.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, journal, sessions, tokens
from accounts.ciphers import KeyLost
from accounts.models import AuditEvent, ProgramToken, User
from accounts.refusals import Refusal

from . import sealed

# A code counts in its own 30 seconds, and in those before and after.
SECONDS_A_CODE_COUNTS = 90


class FactorRefusal(StrEnum):
    NO_FACTOR = "no-factor"
    CODE_USED = "code-used"


class FactorRefused(Refusal):
    """Nothing to reset, or a code that was used already."""


@transaction.atomic
def added(request: HttpRequest, person: User) -> int:
    """Count the newest factor as proven in this session; returns how many other log-ins ended.

    With the first factor everything ends that was opened by the password alone: other sessions, and tokens.
    """
    factors = person.authenticator_set.exclude(type=Authenticator.Type.RECOVERY_CODES)
    newest = factors.latest("pk")
    prove(request, newest)
    _record(audit.Act.SET_FACTOR, newest.type, person)
    return _end_other_log_ins(request, person) if factors.count() == 1 else 0


def prove(request: HttpRequest, factor: Authenticator) -> None:
    """This session counts as opened with this factor."""
    record_authentication(request, factor.user, "mfa", id=factor.pk, type=factor.type, reauthenticated=True)


@contextmanager
def removing(person: User) -> Iterator[None]:
    """Whatever of the person's factors is gone at the end is journaled and recorded before its commit."""
    with transaction.atomic():
        before = dict(person.authenticator_set.order_by("pk").values_list("pk", "type"))
        yield
        left = set(person.authenticator_set.values_list("pk", flat=True))
        for pk, kind in before.items():
            if pk not in left:
                journal.append("factor", timezone.now(), factor=pk)
                if kind != Authenticator.Type.RECOVERY_CODES:
                    _record(audit.Act.REMOVED_FACTOR, kind, person)


def use_code(factor: Authenticator, code: str) -> None:
    """Note that this code was used, in the transaction that used it. Raises FactorRefused."""
    if factor.type == Authenticator.Type.RECOVERY_CODES:
        used = Authenticator.objects.get(pk=factor.pk).data["used_mask"]
        journal.append("recovery-code", timezone.now(), factor=factor.pk, used=used)
    else:
        use_code_of_app(factor.user_id, code)


def use_code_of_app(person: int, code: str) -> None:
    """A code that was seen over a shoulder or on the wire counts only once. Raises FactorRefused."""
    used = f"code-of-app-{person}-{normalize_user_code(code)}"
    if not cache.add(used, 1, SECONDS_A_CODE_COUNTS):
        raise FactorRefused(FactorRefusal.CODE_USED)


@transaction.atomic
def reset(person: User, now: datetime) -> int:
    """Remove all factors of someone who lost them, and end their sessions; returns how many there were.

    Raises FactorRefused. Whoever has a role that needs a factor sees one page until they set one up again.
    """
    factors = person.authenticator_set.exclude(type=Authenticator.Type.RECOVERY_CODES)
    if not (number := factors.count()):
        raise FactorRefused(FactorRefusal.NO_FACTOR)
    for pk in person.authenticator_set.values_list("pk", flat=True):
        journal.append("factor", now, factor=pk)
    person.authenticator_set.all().delete()
    sessions.end_all(person)
    audit.record(audit.Act.RESET_FACTORS, f"person {person.pk}", None, now)
    return number


def forget(person: User) -> int:
    return person.authenticator_set.all().delete()[0]


def reseal(person: User, old: bytes, new: bytes) -> None:
    """Seal their data under the person's new data key instead of the old one."""
    for row in person.authenticator_set.all():
        plain = sealed.unseal(row, old, sealed.stored(row))
        Authenticator.objects.filter(pk=row.pk).update(data=sealed.seal(row, new, plain))


def stored_of(person: User) -> dict[str, str]:
    """The sealed data by the factor's number. For accounts.key_copy."""
    return {str(row.pk): sealed.stored(row)["sealed"] for row in person.authenticator_set.all()}


def restore(person: int, stored: dict[str, str]) -> None:
    """Put back what `stored_of` returned. For accounts.key_copy."""
    for pk, data in stored.items():
        Authenticator.objects.filter(pk=pk, user=person).update(data={"sealed": data})


def of_everyone() -> QuerySet[Authenticator]:
    """All second factors; recovery codes alone are none."""
    return Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)


def who_has_one(people: Collection[int]) -> set[int]:
    return set(of_everyone().filter(user__in=people).values_list("user", flat=True))


def described(person: User) -> list[dict[str, Any]]:
    """For the person's download: which kinds, and since which day. No secret is in it."""
    rows = person.authenticator_set.order_by("pk").values_list("type", "created_at", "last_used_at")
    return [
        {"kind": kind, "since": since.date(), "last_used": used.date() if used else None}
        for kind, since, used in rows
    ]


def remove_again(pk: int) -> int:
    """Remove a factor that a restored backup has; returns how many. For accounts.journal."""
    return Authenticator.objects.filter(pk=pk).delete()[0]


def use_again(pk: int, used: int) -> int:
    """Mark recovery codes as used that a restored backup has as unused; returns how many were marked."""
    row = Authenticator.objects.filter(pk=pk).select_related("user__data_key").first()
    try:
        before: int = row.data["used_mask"] if row else used
    except KeyLost:  # of someone who left since: it opens for no one
        before = used
    if row is None or before | used == before:
        return 0
    row.data["used_mask"] = before | used
    row.save(update_fields=["data"])
    return (used & ~before).bit_count()


def _record(act: AuditEvent.Act, kind: str, person: User) -> None:
    audit.record(act, f"person {person.pk}", person, timezone.now(), {"kind": kind})


def _end_other_log_ins(request: HttpRequest, person: User) -> int:
    ended = sessions.end_all(person, but=request.session.session_key)
    return ended + tokens.revoke(ProgramToken.objects.filter(user=person), timezone.now())
