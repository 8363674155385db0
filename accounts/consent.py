"""Give, withdraw, allows: the only writer of Consent."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from .models import Consent, ConsentNotice, Material, Purpose, User


class NoConsent(Exception):
    """No live consent covers what was asked; nothing was stored."""


def live_for(contributor: str, material: str, purpose: Purpose) -> Exists:
    """A condition for any query: the clip's contributor lives with this consent now.

    `contributor` and `material` are the outer query's field names.
    """
    return Exists(
        Consent.objects.live().filter(
            contributor=OuterRef(contributor), material=OuterRef(material), purpose=purpose
        )
    )


def allows(contributor: User, material: Material, purpose: Purpose) -> bool:
    return Consent.objects.live().filter(contributor=contributor, material=material, purpose=purpose).exists()


@transaction.atomic
def give(
    contributor: User,
    material: Material,
    purposes: Iterable[Purpose],
    at: datetime,
    *,
    notice: ConsentNotice | None = None,
    reference: str = "",
) -> list[Consent]:
    """One Consent row for each purpose that is not covered by the same words already."""
    _lock(contributor)
    given = []
    for purpose in purposes:
        words = {"material": material, "purpose": purpose, "notice": notice, "reference": reference}
        held = Consent.objects.live().filter(contributor=contributor, **words).first()
        given.append(held or Consent.objects.create(contributor=contributor, at=at, **words))
    return given


@transaction.atomic
def withdraw(contributor: User, at: datetime) -> list[Consent]:
    """End every live consent of this person, each by a row of its own."""
    _lock(contributor)
    return [
        Consent.objects.create(
            contributor=contributor, material=given.material, purpose=given.purpose, at=at, withdraws=given
        )
        for given in Consent.objects.live().filter(contributor=contributor)
    ]


def hold(contributor: User, material: Material, purpose: Purpose, reference: str = "") -> Consent:
    """The live consent that a clip is about to rest on, kept live until this transaction ends.

    Raises NoConsent. With a reference, only the consent that bears it will do.
    """
    _lock(contributor)
    found = Consent.objects.live().filter(contributor=contributor, material=material, purpose=purpose)
    if reference:
        found = found.filter(reference=reference)
    consent = found.order_by("-at", "-id").first()
    if consent is None:
        raise NoConsent(f"no live consent: {Purpose(purpose).label}, {Material(material).label}")
    return consent


def has_withdrawn(contributor: User) -> bool:
    return Consent.objects.filter(contributor=contributor, withdraws__isnull=False).exists()


def _lock(contributor: User) -> None:
    # Giving, withdrawing and storing a clip go one after another for one person, so that no clip
    # can be stored between the moment consent ends and the moment it is seen to have ended.
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=contributor.pk)
