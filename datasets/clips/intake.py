"""An upload to a Clip, if consent and audio allow. The only way in for sound."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

import numpy as np
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import Exists, OuterRef

from accounts import consent, keys
from accounts.ciphers import KEY
from accounts.models import Consent, Material, Purpose, User
from accounts.refusals import Refusal
from datasets import words
from datasets.models import Campaign, Clip, Task

from . import audio, copying, vault

# Below this share of speech a clip counts as holding none, for the order of tasks alone.
SOME_SPEECH = 0.05

# What tells the rows of one batch from one another.
CLIP = (
    "samples_sha256",
    "pk",
    "contributor_id",
    "consent_id",
    "language",
    "source",
    "held_until",
    "seconds",
    "speech_share",
    "stored_as",
    "wrapped_key",
)
TASK = ("clip_id", "plain_reference", "sealed_reference", "plain_draft", "sealed_draft", "priority")


class IntakeRefusal(StrEnum):
    DUPLICATE = "duplicate"


class Duplicate(Refusal):
    """The same samples are stored already, from another contributor."""

    def __init__(self) -> None:
        super().__init__(IntakeRefusal.DUPLICATE)


@dataclass(frozen=True)
class Sound:
    """A decoded, checked recording: int16 samples (n,) at 16 kHz, and what names them."""

    samples: np.ndarray
    fingerprint: str


@dataclass(frozen=True)
class Origin:
    """Where a recording comes from and what it rests on."""

    contributor: User
    source: Clip.Source
    language: str
    reference: str = ""
    held_until: datetime | None = None  # the end of its cooling-off


def read(data: bytes) -> Sound:
    """Decode and check an upload. Raises audio.BadAudio with the reason."""
    samples = audio.read(data)
    audio.check(samples)
    return Sound(samples, audio.fingerprint(samples))


def add(sound: Sound, campaign: Campaign, origin: Origin, now: datetime, *, truth: str = "") -> bool:
    """Hold the recording and ask the campaign's question of it; False when that is so already.

    Raises consent.NoConsent and Duplicate; then nothing was stored.
    """
    return _add(Offer(sound, origin, truth), campaign, now)


def _add(offer: "Offer", campaign: Campaign, now: datetime) -> bool:
    origin = offer.origin
    clip = _held(offer.sound, origin.contributor)
    if clip is None:
        return _store(offer, campaign, now)
    with transaction.atomic():
        consent.require(origin.contributor, Material(clip.material), Purpose.VOLUNTEERS, origin.reference)
        return _ask(clip, campaign, offer)


@dataclass(frozen=True)
class Offer:
    """A recording that is to come in, where it comes from, and what is said to be its answer.

    `draft` is what a machine wrote down, for a campaign that offers such drafts.
    """

    sound: Sound
    origin: Origin
    truth: str = ""
    draft: str = ""


def add_all(offers: Sequence[Offer], campaign: Campaign, now: datetime) -> list[bool | Refusal]:
    """As `add` for each, in one transaction: what it gave, or what it raised, which hinders no other.

    Any other failure stores none of them.
    """
    if len(offers) == 1:
        return [_alone(offers[0], campaign, now)]
    try:
        done = _add_new(offers, campaign, now)
    except IntegrityError:  # one of these sounds came in meanwhile, by another way
        done = [None] * len(offers)
    return [
        _alone(offer, campaign, now) if given is None else given
        for offer, given in zip(offers, done, strict=True)
    ]


def _alone(offer: Offer, campaign: Campaign, now: datetime) -> bool | Refusal:
    try:
        return _add(offer, campaign, now)
    except (consent.NoConsent, Duplicate) as reason:
        return reason


def _add_new(offers: Sequence[Offer], campaign: Campaign, now: datetime) -> list[bool | Refusal | None]:
    """Store what is new. None for what has to go by itself: held clips that this campaign has yet to ask of.

    Rows come first and files after them: whoever waits for another's row, and is killed meanwhile, leaves
    nothing behind.
    """
    names: list[str] = []
    try:
        with transaction.atomic():
            basis = _basis(offers, campaign)
            held = _held_already(offers, campaign)
            done: list[bool | Refusal | None] = []
            new: list[Offer] = []
            for offer in offers:
                allowed = basis[_ground(offer)]
                if isinstance(allowed, Refusal):
                    done.append(allowed)
                    continue
                owner, is_asked = held.get(offer.sound.fingerprint, (None, False))
                if owner is None:
                    held[offer.sound.fingerprint] = offer.origin.contributor.pk, True
                    new.append(offer)
                    done.append(True)
                elif owner != offer.origin.contributor.pk:
                    done.append(Duplicate())
                else:
                    done.append(False if is_asked else None)
            if new:
                names += vault.new_names(len(new))
                _store_all(new, names, basis, campaign, now)
        return done
    except BaseException as error:
        if names and not _may_be_stored(names[0], error):
            for name in names:
                vault.destroy(name)
        raise


def _ground(offer: Offer) -> tuple[int, str]:
    return offer.origin.contributor.pk, offer.origin.reference


def _basis(offers: Sequence[Offer], campaign: Campaign) -> dict[tuple[int, str], Consent | consent.NoConsent]:
    """What each contributor's clips will rest on, or why they may not come in."""
    basis: dict[tuple[int, str], Consent | consent.NoConsent] = {}
    people = {_ground(offer): offer.origin.contributor for offer in offers}
    for ground in sorted(people):  # two runs that lock the same people do so in one order
        try:
            basis[ground] = consent.require(people[ground], campaign.material, Purpose.VOLUNTEERS, ground[1])
        except consent.NoConsent as reason:
            basis[ground] = reason
    return basis


def _held_already(offers: Sequence[Offer], campaign: Campaign) -> dict[str, tuple[int, bool]]:
    """For each sound that is held: whose it is, and whether this campaign asks of it."""
    asked = Task.objects.filter(clip=OuterRef("pk"), campaign=campaign)
    clips = Clip.objects.filter(samples_sha256__in={offer.sound.fingerprint for offer in offers})
    found = clips.annotate(asked=Exists(asked)).values_list("samples_sha256", "contributor_id", "asked")
    return {fingerprint: (owner, is_asked) for fingerprint, owner, is_asked in found}


def _store_all(
    new: Sequence[Offer],
    names: Sequence[str],
    basis: dict[tuple[int, str], Consent | consent.NoConsent],
    campaign: Campaign,
    now: datetime,
) -> None:
    """Rows by COPY, in the order of their sounds: two runs with the same ones wait instead of locking."""
    people = {offer.origin.contributor.pk: offer.origin.contributor for offer in new}
    data_keys = {pk: keys.data_key(person) for pk, person in people.items()}
    numbers = copying.reserve(Clip, len(new))
    clip_keys = [secrets.token_bytes(KEY) for _ in new]
    clips, tasks = [], []
    for offer, number, name, key in zip(new, numbers, names, clip_keys, strict=True):
        person, voice = offer.origin.contributor.pk, _speech(offer)
        rests_on = cast(Consent, basis[_ground(offer)]).pk
        about = offer.origin.language, offer.origin.source.value, offer.origin.held_until
        wrapped = keys.seal(data_keys[person], key, Clip.sealed_as(name))
        length = audio.seconds(offer.sound.samples)
        clips.append(
            (offer.sound.fingerprint, number, person, rests_on, *about, length, voice, name, wrapped)
        )
        said = _said("reference", offer.truth, key, number, campaign)
        drafted = _said("draft", offer.draft, key, number, campaign) if offer.draft else ("", b"")
        tasks.append((number, *said, *drafted, int(_is_silent(voice, campaign))))
    ground = cast(Consent, basis[_ground(new[0])])
    alike = _clip(new[0], ground, names[0], now, 0.0)
    alike.key = clip_keys[0]
    copying.copy(alike, CLIP, sorted(clips))
    copying.copy(_task(alike, campaign, new[0]), TASK, tasks)
    vault.put_all(
        (name, key, audio.wav(offer.sound.samples))
        for offer, name, key in zip(new, names, clip_keys, strict=True)
    )


def _said(name: str, text: str, key: bytes, clip: int, campaign: Campaign) -> tuple[str, bytes]:
    """What Task.reference or Task.draft is stored as, without a task: in plain, or sealed."""
    if not campaign.asks_for_words:
        return text, b""
    return "", words.sealed_value(key, text, words.sealed_as(Task, name, clip, campaign.pk))


def _held(sound: Sound, contributor: User) -> Clip | None:
    clip = Clip.objects.filter(samples_sha256=sound.fingerprint).first()
    if clip and clip.contributor_id != contributor.pk:
        raise Duplicate
    return clip


def _clip(
    offer: Offer, allowed_by: Consent, stored_as: str, now: datetime, speech: float | None = None
) -> Clip:
    """Its row, without its key."""
    return Clip(
        contributor=offer.origin.contributor,
        consent=allowed_by,
        material=allowed_by.material,
        language=offer.origin.language,
        source=offer.origin.source,
        seconds=audio.seconds(offer.sound.samples),
        speech_share=_speech(offer) if speech is None else speech,
        samples_sha256=offer.sound.fingerprint,
        stored_as=stored_as,
        created_at=now,
        held_until=offer.origin.held_until,
    )


def _store(offer: Offer, campaign: Campaign, now: datetime) -> bool:
    sound, origin = offer.sound, offer.origin
    speech = _speech(offer)  # slow, so before any lock is taken
    stored_as = ""
    try:
        with transaction.atomic():
            allowed_by = consent.require(
                origin.contributor, campaign.material, Purpose.VOLUNTEERS, origin.reference
            )
            # Asked again under the contributor's lock: the same upload may have come twice at once.
            clip = _held(sound, origin.contributor)
            if clip is None:
                stored_as, key = vault.new_name(), secrets.token_bytes(KEY)
                clip = _clip(offer, allowed_by, stored_as, now, speech)
                clip.wrap(key, keys.data_key(origin.contributor))
                vault.put(stored_as, key, audio.wav(sound.samples))
                clip.save()
            return _ask(clip, campaign, offer)
    except BaseException as error:
        # The file is written before its row commits, so that no row ever lacks its file.
        if stored_as and not _may_be_stored(stored_as, error):
            vault.destroy(stored_as)
        if isinstance(error, IntegrityError):
            raise Duplicate from error
        raise


def _may_be_stored(stored_as: str, error: BaseException) -> bool:
    """Whether the row may be there all the same: a database that dies while it commits does not say."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    connection.close()
    try:
        return Clip.objects.filter(stored_as=stored_as).exists()
    except DatabaseError:
        return True  # nobody can tell now; a file without a row is what the reconciler looks for


def _speech(offer: Offer) -> float:
    """A network listens to what people share one by one; of a collection it would hear for days."""
    by = audio.voiced_share if offer.origin.source == Clip.Source.IMPORT else audio.speech_share
    return by(offer.sound.samples)


def _ask(clip: Clip, campaign: Campaign, offer: Offer) -> bool:
    asked = Task.objects.filter(clip=clip, campaign=campaign)
    if asked.exists():  # under the contributor's lock, which everybody takes who asks
        return False
    _task(clip, campaign, offer).save(force_insert=True)
    return True


def _task(clip: Clip, campaign: Campaign, offer: Offer) -> Task:
    task = Task(
        clip=clip,
        campaign=campaign,
        reference=offer.truth,  # type: ignore[misc]
        wanted=campaign.min_annotations,
        priority=int(_is_silent(clip.speech_share, campaign)),
    )
    if offer.draft:
        task.draft = offer.draft
    return task


def _is_silent(speech_share: float, campaign: Campaign) -> bool:
    return campaign.speech_first and speech_share < SOME_SPEECH
