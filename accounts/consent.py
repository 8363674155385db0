"""Give, withdraw, allows: the only writer of Consent."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import BooleanField, Case, Exists, OuterRef, Q, Value, When

from . import ciphers, keys, notices
from .models import Consent, ConsentNotice, ConsentQuerySet, Material, Purpose, User
from .refusals import Refusal


class ConsentRefusal(StrEnum):
    NO_CONSENT = "no-consent"  # with the labels `purpose` and `material`
    NOTICE_CHANGED = "notice-changed"


class NoConsent(Refusal):
    """No live consent covers what was asked; nothing was stored."""


class NoticeChanged(NoConsent):
    """The person agreed to an earlier notice and has not answered the new one yet."""


def live_for(contributor: str, material: str, purpose: Purpose, since: int = 0) -> Exists:
    """A condition for any query: the clip's contributor lives with this consent now.

    `contributor` and `material` are the outer query's field names. `since`: the first version of the notice
    whose words cover what is to be done; an import's reference covers what its bringer answers for.
    """
    given = Consent.objects.live().filter(
        contributor=OuterRef(contributor), material=OuterRef(material), purpose=purpose
    )
    return Exists(given.filter(Q(notice=None) | Q(notice__version__gte=since)) if since else given)


def one_by_one(condition: Exists) -> Case:
    """The same condition, asked of each row that is looked at. For the database's planner: among millions of
    rows of which few are looked at, it would rather go through all consents first."""
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


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
    disguised: bool = False,
) -> list[Consent]:
    """One Consent row for each purpose that is not covered by the same words already.

    `disguised` is for wake-word clips and for volunteers; to other consents it says nothing.
    """
    lock(contributor)
    given = []
    for purpose in purposes:
        referred = _reference_hash(contributor, reference)
        words = {"material": material, "purpose": purpose, "notice": notice, "reference_hash": referred}
        disguise = disguised and (material, purpose) == (Material.WAKE_WORD, Purpose.VOLUNTEERS)
        held = _newest(Consent.objects.live().filter(contributor=contributor, **words))
        if held is None or held.disguised != disguise:
            sealed = _sealed_reference(contributor, reference)
            held = Consent.objects.create(
                contributor=contributor, at=at, disguised=disguise, sealed_reference=sealed, **words
            )
        given.append(held)
    return given


@transaction.atomic
def answer(
    contributor: User,
    chosen: Mapping[Material, Iterable[Purpose]],
    at: datetime,
    notice: ConsentNotice,
    *,
    disguised: bool = False,
) -> None:
    """Take what was ticked under the current notice.

    An answer about a material replaces what was given for it under an earlier notice: what was not ticked
    again ends. A material that nothing was ticked for stays as it is, and takes in nothing new.
    """
    for material, purposes in chosen.items():
        give(contributor, material, purposes, at, notice=notice, disguised=disguised)
        earlier = Consent.objects.live().filter(
            contributor=contributor, material=material, notice__version__lt=notice.version
        )
        again = Consent.objects.live().filter(
            contributor=contributor, material=material, notice__version=notice.version
        )
        _end(earlier.exclude(purpose__in=again.values("purpose")), at)


@transaction.atomic
def disguise(contributor: User, wanted: bool, at: datetime) -> list[Consent]:
    """From now on volunteers hear this person's wake-word clips disguised, or no longer so."""
    lock(contributor)
    held = _newest(_heard_wake_words(contributor))
    if held is None:
        return []
    return give(
        contributor,
        Material.WAKE_WORD,
        [Purpose.VOLUNTEERS],
        at,
        notice=held.notice,
        reference=held.reference,
        disguised=wanted,
    )


def is_disguised(contributor: User) -> bool:
    """Whether volunteers hear this person's wake-word clips disguised: the newest live consent decides."""
    held = _newest(_heard_wake_words(contributor))
    return held is not None and held.disguised


@transaction.atomic
def withdraw(
    contributor: User, at: datetime, *, material: Material | None = None, purpose: Purpose | None = None
) -> list[Consent]:
    """End this person's live consents, each by a row of its own: all, or those for one material and purpose.

    Without volunteers nothing may be held, so their consent takes the material's others along.
    """
    lock(contributor)
    ending = Consent.objects.live().filter(contributor=contributor)
    if material:
        ending = ending.filter(material=material)
    if purpose and purpose != Purpose.VOLUNTEERS:
        ending = ending.filter(purpose=purpose)
    return _end(ending, at)


def hold(contributor: User, material: Material, purpose: Purpose, reference: str = "") -> Consent:
    """The live consent that a clip is about to rest on, kept live until this transaction ends.

    Raises NoConsent. With a reference, only the consent that bears it will do. What was agreed to under an
    earlier notice than the current one allows no more to be stored: NoticeChanged.
    """
    lock(contributor)
    found = Consent.objects.live().filter(contributor=contributor, material=material, purpose=purpose)
    if reference:
        found = found.filter(reference_hash=_reference_hash(contributor, reference))
    consent = _newest(found.filter(Q(notice=None) | Q(notice__version=notices.current_version())))
    if consent is None and found.exists():
        raise NoticeChanged(ConsentRefusal.NOTICE_CHANGED)
    if consent is None:
        raise NoConsent(
            ConsentRefusal.NO_CONSENT, purpose=Purpose(purpose).label, material=Material(material).label
        )
    return consent


def has_withdrawn(contributor: User) -> bool:
    return Consent.objects.filter(contributor=contributor, withdraws__isnull=False).exists()


def live_now(contributor: User) -> list[Consent]:
    """The newest live consent for each material and purpose, in the order in which they are asked for."""
    found = Consent.objects.live().filter(contributor=contributor).select_related("notice")
    newest = {(each.material, each.purpose): each for each in found.order_by("at", "id")}
    pairs = [(material, purpose) for material in Material for purpose in Purpose]
    return [newest[pair] for pair in pairs if pair in newest]


def takes_in(consent: Consent) -> bool:
    """Whether something new may rest on it, and not only what is held already."""
    return consent.notice is None or consent.notice.version == notices.current_version()


def seal_references_under(contributor: User, old: bytes, new: bytes) -> None:
    """What consents refer to lies under the contributor's data key, and that was replaced."""
    label = Consent.reference_label(contributor.pk)
    for given in Consent.objects.filter(contributor=contributor).exclude(reference_hash=""):
        plain = ciphers.unseal(old, bytes(given.sealed_reference), label)
        Consent.objects.filter(pk=given.pk).update(sealed_reference=ciphers.seal(new, plain, label))


def _reference_hash(contributor: User, reference: str) -> str:
    return ciphers.hashed(f"consent reference of {contributor.pk}: {reference}") if reference else ""


def _sealed_reference(contributor: User, reference: str) -> bytes:
    if not reference:
        return b""
    label = Consent.reference_label(contributor.pk)
    return ciphers.seal(keys.data_key(contributor), reference.encode(), label)


def _heard_wake_words(contributor: User) -> ConsentQuerySet:
    return Consent.objects.live().filter(
        contributor=contributor, material=Material.WAKE_WORD, purpose=Purpose.VOLUNTEERS
    )


def _newest(consents: ConsentQuerySet) -> Consent | None:
    return consents.order_by("-at", "-id").first()


def _end(consents: ConsentQuerySet, at: datetime) -> list[Consent]:
    return [
        Consent.objects.create(
            contributor_id=given.contributor_id,
            material=given.material,
            purpose=given.purpose,
            at=at,
            withdraws=given,
        )
        for given in consents
    ]


def lock(contributor: User) -> None:
    """Until this transaction ends, nobody else gives, withdraws, stores or erases for this person."""
    # Giving, withdrawing and storing a clip go one after another for one person, so that no clip
    # can be stored between the moment consent ends and the moment it is seen to have ended.
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=contributor.pk)
