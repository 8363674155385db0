"""Pair a device with a person so that it may send clips, renew its tokens, and revoke it.

    offer     the device asks for a code and shows it        claim     its owner enters the code
    activate  the device fetches its first tokens            renew     new tokens for old ones
    by_access the device that an access token belongs to     revoke    the device's tokens stop working

No credential can be read from the database. A token is 256 random bits and is stored as its SHA-256, which
cannot be reversed. A code is short enough to try them all, so it is stored as a keyed hash. Both are looked
up by hash, so the time of a look-up says nothing about the secret.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from . import journal, limits, quarters
from .models import Device, DeviceLogin, Pairing, Role, User
from .refusals import Refusal

LETTERS = "ACEFHJKLMNPRTUVWXY3479"  # none that sounds like another or looks like one in small print
CODE_LENGTH = 6
# A code is valid for this long after its device last asked whether it was entered. Clients ask every few
# seconds and show one code for 20 hours: it stays valid for as long as it is shown, and no longer.
CODE_LIFETIME = timedelta(minutes=30)
# A code is renewed when it is this old and its device asks. One that is older still has no device that asks.
RENEWED_AFTER = timedelta(minutes=10)
ABANDONED_AFTER = timedelta(minutes=15)
# What devices are told: for how long they may show the code and ask. The protocol has this number.
SHOWN_FOR = timedelta(hours=24)
REFRESH_LIFETIME = timedelta(days=365)  # so that a device that was off for a season can still renew

# With 22^6 codes and at most this many waiting, one guess in 10,000 would hit someone's device.
MAX_WAITING = 10_000

# This long after an access token was replaced it can still be exchanged for a new login; see `renew`.
RENEWAL_GRACE = timedelta(minutes=10)

REPORTED_FIELDS = ("platform", "platform_build", "core_version", "enclosure_version", "language")
_PLAIN_WORD = re.compile(r"[\w.:+~ -]{1,60}", re.ASCII)


class DeviceRefusal(StrEnum):
    TOO_MANY_WAITING = "too-many-waiting"
    WRONG_CODE = "wrong-code"
    NOT_CLAIMED = "not-claimed"
    BAD_TOKEN = "bad-token"
    BAD_TOKEN_FOR_DEVICE = "bad-token-for-device"
    TOKEN_REUSED = "token-reused"


class Busy(Refusal):
    """As many devices as this site allows are already waiting to be paired."""


class WrongCode(Refusal):
    """No waiting device shows this code."""


class NotClaimed(Refusal):
    """The code was not entered, or it expired, or its tokens were already given out."""


class InvalidToken(Refusal):
    """The token is unknown, expired or replaced, or belongs to another device or to a revoked one."""


@dataclass(frozen=True)
class PairingOffer:
    code: str
    token: str
    seconds: int


@dataclass(frozen=True)
class Login:
    """Tokens in plain text. They exist only here and in the one response that hands them out."""

    device: UUID
    access: str
    refresh: str
    seconds: int


def offer(state: str, now: datetime) -> PairingOffer:
    """A code for the device to show, and a secret to fetch its tokens with. Raises Busy."""
    _delete_expired(now)
    if Pairing.objects.count() >= MAX_WAITING:
        _make_room(now)
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
        token = _new_token()
        try:
            with transaction.atomic():
                Pairing.objects.create(
                    code_hash=_keyed_hash(code),
                    secret_sha256=_secret_sha256(state, token),
                    expires_at=now + CODE_LIFETIME,
                )
        except IntegrityError:  # another device shows this code
            continue
        return PairingOffer(code, token, int(SHOWN_FOR.total_seconds()))


def claim(owner: User, code: str, name: str, now: datetime) -> Device:
    """Give the device that shows this code to the owner. Raises WrongCode and LimitReached."""
    counted = limits.count(now, (limits.WRONG_CODES, str(owner.pk)))
    with transaction.atomic():
        code_hash = _keyed_hash(normalised_code(code))
        waiting = Pairing.objects.filter(code_hash=code_hash, device=None, expires_at__gt=now)
        pairing = waiting.select_for_update().first()
        if pairing is None:
            raise WrongCode(DeviceRefusal.WRONG_CODE)
        device = Device(owner=owner, paired_in=quarters.name(now))
        device.about = {"name": name}
        device.save()
        pairing.device, pairing.expires_at = device, now + CODE_LIFETIME
        pairing.save(update_fields=["device", "expires_at"])
    counted.take_back()
    return device


def normalised_code(code: str) -> str:
    """The code as the device shows it: in capitals, without spaces and hyphens."""
    return re.sub(r"[\s-]", "", code).upper()


@transaction.atomic
def activate(state: str, token: str, reported: Mapping[str, object], now: datetime) -> Login:
    """The first tokens of a device whose code was entered. Works once. Raises NotClaimed."""
    claimed = Pairing.objects.filter(secret_sha256=_secret_sha256(state, token), expires_at__gt=now)
    pairing = (
        claimed.filter(device__revoked_on=None)
        .select_for_update(of=("self",))
        .select_related("device__owner__data_key")
        .first()
    )
    if pairing is None or pairing.device is None or not pairing.device.owner.may_log_in:
        raise NotClaimed(DeviceRefusal.NOT_CLAIMED)
    update(pairing.device, reported)
    pairing.delete()
    return _log_in(pairing.device, now)


def keep_waiting(state: str, token: str, address: str, now: datetime) -> None:
    """A device at this address asked for its tokens and still shows its code, so the code stays valid.

    How many codes one address can keep in this way is limited; the others expire.
    """
    due = Pairing.objects.filter(
        secret_sha256=_secret_sha256(state, token),
        device=None,
        expires_at__gt=now,
        expires_at__lte=now + CODE_LIFETIME - RENEWED_AFTER,
    )
    if due.exists():
        with suppress(limits.LimitReached):
            limits.count(now, (limits.WAITING_DEVICES, address))
            due.update(expires_at=now + CODE_LIFETIME)


def update(device: Device, reported: Mapping[str, object]) -> None:
    """Store what the device reports about itself, leaving out anything that is not a short plain word."""
    changes = {name: word for name in REPORTED_FIELDS if (word := plain_word(reported.get(name)))}
    device.about = device.about | changes
    device.save(update_fields=["sealed_about"])


def plain_word(value: object) -> str:
    """The value if it is a short word of plain characters, else nothing."""
    return value if isinstance(value, str) and _PLAIN_WORD.fullmatch(value) else ""


def by_access(token: str, device: UUID, now: datetime) -> Device:
    """The device that this valid access token belongs to. Raises InvalidToken. Writes nothing."""
    login = (
        DeviceLogin.objects.select_related("device__owner__data_key")
        .filter(access_sha256=_sha256(token), is_replaced=False, access_until__gt=now)
        .filter(device__uuid=device, device__revoked_on=None)
        .first()
    )
    if login is None or not login.device.owner.has_role(Role.CONTRIBUTOR):
        raise InvalidToken(DeviceRefusal.BAD_TOKEN_FOR_DEVICE)
    return login.device


def renew(token: str, device: UUID | None, now: datetime) -> Login:
    """A new login for the refresh token; all earlier tokens stop working. Raises InvalidToken.

    A refresh token that was already replaced means that it was copied: it comes either from the thief, or
    from the device after the thief used the copy. There is no telling which, so the device is revoked
    (RFC 6819, 5.2.2.3).

    Clients of OpenVoiceOS (ovos-backend-client 0.0.5) send their access token instead, expired by then,
    with the device's uuid. That is accepted by the same rule, except for the first minutes: several programs
    of one device share its tokens and renew them at the same moment, and a response may get lost.
    """
    digest = _sha256(token)
    with transaction.atomic():
        login = _locked_login(Q(refresh_sha256=digest) | Q(access_sha256=digest, device__uuid=device), now)
        if not login.is_replaced or (digest == login.access_sha256 and _just_renewed(login.device, now)):
            return _log_in(login.device, now)
        _revoke(login.device, now.date(), is_suspect=True)
    raise InvalidToken(DeviceRefusal.TOKEN_REUSED)


@transaction.atomic
def revoke(device: Device, today: date) -> None:
    """All tokens of this device stop working. Revoking it twice is no error."""
    _revoke(device, today, is_suspect=False)


def may_upload(device: Device, today: date) -> bool:
    """Whether the device may send one more clip today."""
    return device.uploads_on != today or device.uploads < settings.DEVICE_UPLOADS_A_DAY


def count_upload(device: Device, today: date) -> None:
    row = Device.objects.filter(pk=device.pk)
    if not row.filter(uploads_on=today).update(uploads=F("uploads") + 1):
        row.update(uploads_on=today, uploads=1)


def _locked_login(condition: Q, now: datetime) -> DeviceLogin:
    """The login, read again after locking its device until the transaction ends. Raises InvalidToken."""
    found = DeviceLogin.objects.filter(condition, refresh_until__gt=now, device__revoked_on=None)
    login = found.first()
    if login:
        Device.objects.select_for_update(no_key=True).get(pk=login.device_id)
        login = found.select_related("device__owner").filter(pk=login.pk).first()
    if login is None or not login.device.owner.may_log_in:
        raise InvalidToken(DeviceRefusal.BAD_TOKEN)
    return login


def _just_renewed(device: Device, now: datetime) -> bool:
    recent = now + settings.DEVICE_ACCESS - RENEWAL_GRACE
    return device.logins.filter(is_replaced=False, access_until__gt=recent).exists()


def _log_in(device: Device, now: datetime) -> Login:
    device.logins.filter(refresh_until__lte=now).delete()
    device.logins.update(is_replaced=True)
    login = Login(device.uuid, _new_token(), _new_token(), int(settings.DEVICE_ACCESS.total_seconds()))
    device.logins.create(
        access_sha256=_sha256(login.access),
        refresh_sha256=_sha256(login.refresh),
        access_until=now + settings.DEVICE_ACCESS,
        refresh_until=now + REFRESH_LIFETIME,
    )
    return login


def _revoke(device: Device, today: date, *, is_suspect: bool) -> None:
    if Device.objects.filter(pk=device.pk, revoked_on=None).update(revoked_on=today, is_suspect=is_suspect):
        uuid = Device.objects.values_list("uuid", flat=True).get(pk=device.pk)
        journal.append("device", timezone.now(), uuid=uuid, on=today)


def revoke_again(uuid: str, on: date) -> int:
    """Revoke a device that a restored backup has as paired; returns how many. For accounts.journal."""
    return Device.objects.filter(uuid=uuid, revoked_on=None).update(revoked_on=on)


def _delete_expired(now: datetime) -> None:
    Device.objects.filter(pairing__expires_at__lte=now).delete()
    Pairing.objects.filter(expires_at__lte=now).delete()


def _make_room(now: datetime) -> None:
    """The code whose device has been silent for the longest gives way. Raises Busy if all devices still wait.

    A code that someone is typing at this moment never does, because its device asks every few seconds.
    """
    abandoned = Pairing.objects.filter(device=None, expires_at__lte=now + CODE_LIFETIME - ABANDONED_AFTER)
    oldest = abandoned.order_by("expires_at").first()
    if oldest is None:
        raise Busy(DeviceRefusal.TOO_MANY_WAITING)
    oldest.delete()


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _secret_sha256(state: str, token: str) -> str:
    return _sha256(f"{state}\0{token}")


def _keyed_hash(code: str) -> str:
    return salted_hmac("accounts.devices", code, algorithm="sha256").hexdigest()
