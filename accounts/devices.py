"""How a device comes to send for a person, and how it ends: pairing codes, tokens, revoking.

    offer     the device asks for a code and shows it        claim     its owner enters the code
    activate  the device comes back for its tokens           renew     new tokens for old ones
    by_access whose token this is                            revoke    no token of this device counts any more

Nothing that opens a door can be read from the database. A token is 256 random bits and lies there as its
SHA-256, which nobody can turn round; a code is short enough to try all of them, so it lies under a keyed
hash. Both are looked up by that hash: how long a look-up takes tells nothing of what is looked for.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

from . import quarters
from .models import Device, DeviceLogin, Pairing, Role, User

LETTERS = "ACEFHJKLMNPRTUVWXY3479"  # none that is taken for another when it is spoken or shown small
CODE = 6
PAIRING = timedelta(hours=24)
REFRESH = timedelta(days=365)  # a device that was off for a season comes back by itself

# With 22^6 codes, and this many waiting at most, one try in 10,000 would find anybody's device.
MOST_WAITING = 10_000
MOST_WRONG = 10
WRONG_FOR = timedelta(hours=1)

# For so long after it was replaced an access token still brings another login; see `renew`.
SECOND_THOUGHTS = timedelta(minutes=10)

SAID = ("platform", "platform_build", "core_version", "enclosure_version", "language")
_PLAIN_WORD = re.compile(r"[\w.:+~ -]{1,60}", re.ASCII)


class Busy(Exception):
    """More devices wait to be paired than this site lets wait."""


class WrongCode(Exception):
    """No device that waits shows this code."""


class TooManyTries(Exception):
    """This person entered too many wrong codes and has to wait."""


class NotYet(Exception):
    """Nobody entered the code, or it has run out, or its tokens were given out already."""


class Void(Exception):
    """This token opens nothing: unknown, run out, replaced, of another device or of a revoked one."""


@dataclass(frozen=True)
class Offer:
    code: str
    token: str
    seconds: int


@dataclass(frozen=True)
class Login:
    """Tokens in plain: they exist here and in the one answer that gives them out."""

    device: UUID
    access: str
    refresh: str
    seconds: int


def offer(state: str, now: datetime) -> Offer:
    """A code to show, and a secret to come back with. Raises Busy."""
    _forget_expired(now)
    if Pairing.objects.count() >= MOST_WAITING:
        raise Busy("Too many devices wait to be paired; try again later.")
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE))
        token = _new_token()
        try:
            with transaction.atomic():
                Pairing.objects.create(
                    code_hash=_keyed(code), secret_sha256=_both(state, token), expires_at=now + PAIRING
                )
        except IntegrityError:  # another device shows this code
            continue
        return Offer(code, token, int(PAIRING.total_seconds()))


def claim(owner: User, code: str, name: str, now: datetime) -> Device:
    """The device that shows this code becomes the owner's. Raises WrongCode and TooManyTries."""
    _take_a_try(owner)
    with transaction.atomic():
        waiting = Pairing.objects.filter(code_hash=_keyed(spelled(code)), device=None, expires_at__gt=now)
        pairing = waiting.select_for_update().first()
        if pairing is None:
            raise WrongCode("No device that waits shows this code.")
        device = Device(owner=owner, paired_in=quarters.name(now))
        device.about = {"name": name}
        device.save()
        pairing.device = device
        pairing.save(update_fields=["device"])
    _give_the_try_back(owner)
    return device


def spelled(code: str) -> str:
    """As the device shows it, however it was typed."""
    return re.sub(r"[\s-]", "", code).upper()


@transaction.atomic
def activate(state: str, token: str, said: Mapping[str, object], now: datetime) -> Login:
    """The first tokens of a device whose code was entered, once. Raises NotYet."""
    entered = Pairing.objects.filter(
        secret_sha256=_both(state, token), expires_at__gt=now, device__owner__is_active=True
    )
    pairing = (
        entered.filter(device__revoked_on=None)
        .select_for_update(of=("self",))
        .select_related("device__owner__data_key")
        .first()
    )
    if pairing is None or pairing.device is None:
        raise NotYet("Nobody entered this code yet.")
    update(pairing.device, said)
    pairing.delete()
    return _log_in(pairing.device, now)


def update(device: Device, said: Mapping[str, object]) -> None:
    """Note what the device says of itself, as far as it is a plain word."""
    news = {name: text for name in SAID if (text := plain_word(said.get(name)))}
    device.about = device.about | news
    device.save(update_fields=["sealed_about"])


def plain_word(said: object) -> str:
    return said if isinstance(said, str) and _PLAIN_WORD.fullmatch(said) else ""


def by_access(token: str, device: UUID, now: datetime) -> Device:
    """The device whose valid access token this is. Raises Void. Writes nothing."""
    login = (
        DeviceLogin.objects.select_related("device__owner__data_key")
        .filter(access_sha256=_sha256(token), is_replaced=False, access_until__gt=now)
        .filter(device__uuid=device, device__revoked_on=None, device__owner__is_active=True)
        .first()
    )
    if login is None or not login.device.owner.has_role(Role.CONTRIBUTOR):
        raise Void("This token is not valid for this device.")
    return login.device


def renew(token: str, device: UUID | None, now: datetime) -> Login:
    """A new login for the refresh token; all tokens before it are void. Raises Void.

    A refresh token that was replaced can only come from somebody who copied it, or to whom it was copied:
    the device is revoked, for nobody can tell which of the two this is (RFC 6819, 5.2.2.3).

    Clients of OpenVoiceOS (ovos-backend-client 0.0.5) send their access token instead, run out by then,
    beside the device's uuid. That is taken too, by the same rule, but for the first minutes: several programs
    of one device share its tokens and renew them at the same moment, and an answer may be lost on its way.
    """
    digest = _sha256(token)
    with transaction.atomic():
        login = _locked(Q(refresh_sha256=digest) | Q(access_sha256=digest, device__uuid=device), now)
        if not login.is_replaced or (digest == login.access_sha256 and _just_now(login.device, now)):
            return _log_in(login.device, now)
        _revoke(login.device, now.date(), is_suspect=True)
    raise Void("This token was used before; the device is revoked and has to be paired again.")


def revoke(device: Device, today: date) -> None:
    """No token of this device counts from now on. Twice is no error."""
    _revoke(device, today, is_suspect=False)


def has_room(device: Device, today: date) -> bool:
    """Whether the device may send one more clip today."""
    return device.uploads_on != today or device.uploads < settings.DEVICE_UPLOADS_A_DAY


def count_upload(device: Device, today: date) -> None:
    own = Device.objects.filter(pk=device.pk)
    if not own.filter(uploads_on=today).update(uploads=F("uploads") + 1):
        own.update(uploads_on=today, uploads=1)


def _locked(of: Q, now: datetime) -> DeviceLogin:
    """The login, with its device to itself until the transaction ends."""
    found = DeviceLogin.objects.filter(of, refresh_until__gt=now, device__revoked_on=None)
    login = found.filter(device__owner__is_active=True).first()
    if login:
        Device.objects.select_for_update(no_key=True).get(pk=login.device_id)
        login = found.select_related("device").filter(pk=login.pk).first()
    if login is None:
        raise Void("This token is not valid.")
    return login


def _just_now(device: Device, now: datetime) -> bool:
    fresh = now + settings.DEVICE_ACCESS - SECOND_THOUGHTS
    return device.logins.filter(is_replaced=False, access_until__gt=fresh).exists()


def _log_in(device: Device, now: datetime) -> Login:
    device.logins.filter(refresh_until__lte=now).delete()
    device.logins.update(is_replaced=True)
    login = Login(device.uuid, _new_token(), _new_token(), int(settings.DEVICE_ACCESS.total_seconds()))
    device.logins.create(
        access_sha256=_sha256(login.access),
        refresh_sha256=_sha256(login.refresh),
        access_until=now + settings.DEVICE_ACCESS,
        refresh_until=now + REFRESH,
    )
    return login


def _revoke(device: Device, today: date, *, is_suspect: bool) -> None:
    Device.objects.filter(pk=device.pk, revoked_on=None).update(revoked_on=today, is_suspect=is_suspect)


def _forget_expired(now: datetime) -> None:
    Device.objects.filter(pairing__expires_at__lte=now).delete()
    Pairing.objects.filter(expires_at__lte=now).delete()


def _take_a_try(owner: User) -> None:
    # Counted before the look-up, so that many tries at once do not slip by.
    cache.add(_tries(owner), 0, WRONG_FOR.total_seconds())
    if cache.incr(_tries(owner)) > MOST_WRONG:
        raise TooManyTries("Too many wrong codes; wait an hour.")


def _give_the_try_back(owner: User) -> None:
    cache.decr(_tries(owner))


def _tries(owner: User) -> str:
    return f"pairing-codes-of-{owner.pk}"


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _both(state: str, token: str) -> str:
    return _sha256(f"{state}\0{token}")


def _keyed(code: str) -> str:
    return salted_hmac("accounts.devices", code, algorithm="sha256").hexdigest()
