"""Give, change, withdraw and check consent. The only writer of Consent."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import BooleanField, Case, Exists, OuterRef, Q, Value, When

from . import ciphers, journal, keyring, keys, notices
from .models import AUDIENCES, Consent, ConsentNotice, ConsentQuerySet, Material, Purpose, User
from .refusals import Refusal


class ConsentRefusal(StrEnum):
    NO_CONSENT = "no-consent"  # with the labels `purpose` and `material`
    NOTICE_CHANGED = "notice-changed"


class NoConsent(Refusal):
    """No live consent covers the request; nothing was stored."""


class NoticeChanged(NoConsent):
    """The person agreed to an earlier notice and has not answered the new one yet."""


def live_for(contributor: str, material: str, purpose: Purpose, since: int = 0) -> Exists:
    """A condition for any query: the contributor's consent to this material and purpose is live now.

    `contributor` and `material` are field names of the outer query. `since` is the first notice version whose
    words cover the use. An import's consent has no notice and always passes: the importer answers for it.
    """
    given = Consent.objects.live().filter(
        contributor=OuterRef(contributor), material=OuterRef(material), purpose=purpose
    )
    return Exists(given.filter(Q(notice=None) | Q(notice__version__gte=since)) if since else given)


def per_row(condition: Exists) -> Case:
    """The same condition, evaluated for each row that the query reads.

    A hint for the database's planner. Of a query that reads a few rows among millions, it would otherwise
    scan all consents first.
    """
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
    """Add a Consent row for each purpose, unless a live one with the same words exists.

    `disguised` applies only to wake-word clips for volunteers, and is ignored for other consents. Raises
    ValueError if consent to this material cannot be given for one of the purposes.
    """
    lock(contributor)
    given = []
    for purpose in purposes:
        if purpose not in Material(material).purposes:
            raise ValueError(f"consent to {material} cannot be given for {purpose}")
        hashed = _reference_hash(contributor, reference)
        words = {"material": material, "purpose": purpose, "notice": notice}
        disguise = disguised and (material, purpose) == (Material.WAKE_WORD, Purpose.VOLUNTEERS)
        live = Consent.objects.live().filter(contributor=contributor, **words)
        consent = _newest(live.filter(reference_hash__in=_reference_hashes(contributor, reference)))
        if consent is None or consent.disguised != disguise:
            sealed = _sealed_reference(contributor, reference)
            consent = Consent.objects.create(
                contributor=contributor,
                at=at,
                disguised=disguise,
                reference_hash=hashed,
                sealed_reference=sealed,
                **words,
            )
        given.append(consent)
    return given


@transaction.atomic
def answer(
    contributor: User,
    chosen: Mapping[Material, Iterable[Purpose]],
    at: datetime,
    notice: ConsentNotice,
    *,
    supplements: Sequence[ConsentNotice] = (),
    disguised: bool = False,
) -> None:
    """Store the boxes that were ticked under the current notice and its supplements.

    For each material with a tick, consents under an earlier notice end unless they were ticked again. A
    material without a tick keeps its earlier consents, but no new clips are stored under them.
    """
    read = {supplement.purpose: supplement for supplement in supplements}
    for material, purposes in chosen.items():
        for purpose in purposes:
            words = read.get(purpose, notice)
            give(contributor, material, [purpose], at, notice=words, disguised=disguised)
        earlier = Consent.objects.live().filter(
            contributor=contributor, material=material, notice__version__lt=notice.version
        )
        renewed = Consent.objects.live().filter(
            contributor=contributor, material=material, notice__version=notice.version
        )
        _end(earlier.exclude(purpose__in=renewed.values("purpose")), at)
    _end_synthesis_without_audience(contributor, at)


@transaction.atomic
def disguise(contributor: User, wanted: bool, at: datetime) -> list[Consent]:
    """From now on volunteers hear this person's wake-word clips disguised, or undisguised."""
    lock(contributor)
    current = _newest(_heard_wake_words(contributor))
    if current is None:
        return []
    return give(
        contributor,
        Material.WAKE_WORD,
        [Purpose.VOLUNTEERS],
        at,
        notice=current.notice,
        reference=current.reference,
        disguised=wanted,
    )


def is_disguised(contributor: User) -> bool:
    """Whether volunteers hear this person's wake-word clips disguised: the newest live consent decides."""
    current = _newest(_heard_wake_words(contributor))
    return current is not None and current.disguised


@transaction.atomic
def withdraw(
    contributor: User, at: datetime, *, material: Material | None = None, purpose: Purpose | None = None
) -> list[Consent]:
    """End this person's live consents, all or those for one material and purpose, by a new row for each.

    Without consent for volunteers no clip may be stored, so ending it ends all consents of its material.
    Consent to speech synthesis ends with the last that lets researchers or public releases have the clips.
    """
    lock(contributor)
    ending = Consent.objects.live().filter(contributor=contributor)
    if material:
        ending = ending.filter(material=material)
    if purpose and purpose != Purpose.VOLUNTEERS:
        ending = ending.filter(purpose=purpose)
    return _end(ending, at) + _end_synthesis_without_audience(contributor, at)


def require(contributor: User, material: Material, purpose: Purpose, reference: str = "") -> Consent:
    """The live consent that a new clip will rest on. It stays live until this transaction ends.

    With a reference, only the consent with that reference counts. Raises NoConsent, or NoticeChanged if
    consent was given under an earlier notice than the current one, which allows no new clips.
    """
    lock(contributor)
    found = Consent.objects.live().filter(contributor=contributor, material=material, purpose=purpose)
    if reference:
        found = found.filter(reference_hash__in=_reference_hashes(contributor, reference))
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
    """The newest live consent for each material and purpose, in the order of the consent form."""
    found = Consent.objects.live().filter(contributor=contributor).select_related("notice")
    newest = {(each.material, each.purpose): each for each in found.order_by("at", "id")}
    pairs = [(material, purpose) for material in Material for purpose in material.purposes]
    return [newest[pair] for pair in pairs if pair in newest]


def covers_new_clips(consent: Consent) -> bool:
    """Whether new clips may be stored under it, and not only clips that exist already."""
    return consent.notice is None or consent.notice.version == notices.current_version()


def reseal_references(contributor: int, old: bytes, new: bytes) -> None:
    """Seal and hash this person's consent references under their new data key instead of the old one."""
    label = Consent.reference_label(contributor)
    for given in Consent.objects.filter(contributor=contributor).exclude(sealed_reference=b""):
        plain = ciphers.unseal(old, bytes(given.sealed_reference), label)
        hashed = _hash_under(new, plain.decode())
        Consent.objects.filter(pk=given.pk).update(
            sealed_reference=ciphers.seal(new, plain, label), reference_hash=hashed
        )


def _reference_hash(contributor: User, reference: str) -> str:
    """Under the person's own data key, so that it leads nowhere once they left."""
    return _hash_under(keys.data_key(contributor), reference) if reference else ""


def _hash_under(data_key: bytes, reference: str) -> str:
    return ciphers.keyed_hash(data_key, "consent reference", reference)


def _reference_hashes(contributor: User, reference: str) -> list[str]:
    """The hashes under which this reference may be stored."""
    found = [_reference_hash(contributor, reference)]
    if reference and keyring.exists(keyring.OLD_HASHES):
        text = f"consent reference of {contributor.pk}: {reference}"
        found.append(keyring.hash_under(keyring.OLD_HASHES, text))
    return found


def _sealed_reference(contributor: User, reference: str) -> bytes:
    if not reference:
        return b""
    label = Consent.reference_label(contributor.pk)
    return ciphers.seal(keys.data_key(contributor), reference.encode(), label)


def _heard_wake_words(contributor: User) -> ConsentQuerySet:
    return Consent.objects.live().filter(
        contributor=contributor, material=Material.WAKE_WORD, purpose=Purpose.VOLUNTEERS
    )


def _end_synthesis_without_audience(contributor: User, at: datetime) -> list[Consent]:
    """It would come back into effect, unasked, with the next consent for researchers or public releases."""
    live = Consent.objects.live().filter(contributor=contributor)
    audience = live.filter(material=OuterRef("material"), purpose__in=AUDIENCES)
    return _end(live.filter(~Exists(audience), purpose=Purpose.SYNTHESIS), at)


def _newest(consents: ConsentQuerySet) -> Consent | None:
    return consents.order_by("-at", "-id").first()


def _end(consents: ConsentQuerySet, at: datetime, *, is_new: bool = True) -> list[Consent]:
    ending = list(consents)
    if ending and is_new:
        journal.append("consents", at, ended=[given.pk for given in ending])
    return [
        Consent.objects.create(
            contributor_id=given.contributor_id,
            material=given.material,
            purpose=given.purpose,
            at=at,
            withdraws=given,
        )
        for given in ending
    ]


@transaction.atomic
def end_again(ended: Collection[int], at: datetime) -> int:
    """End consents that a restored backup has as live; returns how many. For accounts.journal."""
    given = Consent.objects.live().filter(pk__in=ended)
    for person in User.objects.filter(consents__in=given).distinct():
        lock(person)
    return len(_end(given, at, is_new=False))


def lock(contributor: User) -> None:
    """Until this transaction ends, no one else gives, withdraws, stores or erases for this person.

    These acts are serialised for each person, so that no clip is stored under a consent that is just ending.
    """
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=contributor.pk)
