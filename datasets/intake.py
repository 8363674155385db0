"""An upload to a Clip, if consent and audio allow. The only way in for sound."""

import secrets
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

from accounts import consent, keys
from accounts.ciphers import KEY
from accounts.models import Material, Purpose, User

from . import audio, vault
from .models import Campaign, Clip, Task

# Below this share of speech a clip counts as holding none, for the order of tasks alone.
SOME_SPEECH = 0.05


class Duplicate(Exception):
    """The same samples are held already, from somebody else."""


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
    clip = _held(sound, origin.contributor)
    if clip is None:
        return _store(sound, campaign, origin, now, truth)
    with transaction.atomic():
        consent.hold(origin.contributor, Material(clip.material), Purpose.VOLUNTEERS, origin.reference)
        return _ask(clip, campaign, truth)


def _held(sound: Sound, contributor: User) -> Clip | None:
    clip = Clip.objects.filter(samples_sha256=sound.fingerprint).first()
    if clip and clip.contributor_id != contributor.pk:
        raise Duplicate("the same recording is held from another contributor")
    return clip


def _store(sound: Sound, campaign: Campaign, origin: Origin, now: datetime, truth: str) -> bool:
    speech = audio.speech_share(sound.samples)  # slow, so before any lock is taken
    stored_as = ""
    try:
        with transaction.atomic():
            allowed_by = consent.hold(
                origin.contributor, campaign.material, Purpose.VOLUNTEERS, origin.reference
            )
            # Asked again under the contributor's lock: the same upload may have come twice at once.
            clip = _held(sound, origin.contributor)
            if clip is None:
                stored_as, key = vault.new_name(), secrets.token_bytes(KEY)
                clip = Clip(
                    contributor=origin.contributor,
                    consent=allowed_by,
                    material=campaign.material,
                    language=origin.language,
                    source=origin.source,
                    seconds=audio.seconds(sound.samples),
                    speech_share=speech,
                    samples_sha256=sound.fingerprint,
                    stored_as=stored_as,
                    created_at=now,
                    held_until=origin.held_until,
                )
                clip.wrap(key, keys.data_key(origin.contributor))
                vault.put(stored_as, key, audio.wav(sound.samples))
                clip.save()
            return _ask(clip, campaign, truth)
    except BaseException as error:
        # The file is written before its row commits, so that no row ever lacks its file.
        if stored_as and not _may_be_stored(stored_as, error):
            vault.destroy(stored_as)
        if isinstance(error, IntegrityError):
            raise Duplicate("the same recording is held from another contributor") from error
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


def _ask(clip: Clip, campaign: Campaign, truth: str) -> bool:
    silent = campaign.speech_first and clip.speech_share < SOME_SPEECH
    _task, created = Task.objects.get_or_create(
        clip=clip,
        campaign=campaign,
        defaults={
            "reference": truth,  # type: ignore[misc]
            "wanted": campaign.min_annotations,
            "priority": int(silent),
        },
    )
    return created
