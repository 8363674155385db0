"""Recordings from devices: which campaigns ask for one, and until when only its owner hears it.

Of the metadata of a recording only the wake word and the language are read, to find the campaigns, and only
the language is stored. The rest is not even read: its time is more precise than this site needs to know, its
engine and model identify the kind of device, and what a machine understood would be a transcript to which no
one has agreed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from accounts import consent, devices
from accounts.models import Device, Purpose
from accounts.refusals import Refusal
from datasets import languages, taking_part
from datasets.models import Campaign, Clip

from . import intake


class UploadRefusal(StrEnum):
    BAD_LANGUAGE = "upload-bad-language"
    WHICH_LANGUAGE = "upload-which-language"
    OTHER_LANGUAGE = "upload-other-language"
    UNKNOWN_WAKE_WORD = "upload-unknown-wake-word"
    DAILY_LIMIT = "upload-daily-limit"


class NoCampaignAsks(Refusal):
    """No open campaign asks for such a recording; nothing was stored."""


class DailyLimitReached(Refusal):
    """The device has sent as many clips today as it may."""

    def __init__(self) -> None:
        super().__init__(UploadRefusal.DAILY_LIMIT)


@dataclass(frozen=True)
class Metadata:
    """The part of a recording's metadata that is read."""

    wake_word: str = ""
    language: str = ""


def check(device: Device, kind: Campaign.Kind, now: datetime) -> None:
    """Check whether the device may send this kind of recording now, before any of it is read.

    Raises consent.NoConsent and DailyLimitReached.
    """
    material = kind.material
    if not consent.allows(device.owner, material, Purpose.VOLUNTEERS):
        raise consent.NoConsent(
            consent.ConsentRefusal.NO_CONSENT, purpose=Purpose.VOLUNTEERS.label, material=material.label
        )
    if not devices.may_upload(device, now.date()):
        raise DailyLimitReached


def store(device: Device, kind: Campaign.Kind, audio: bytes, metadata: Metadata, now: datetime) -> bool:
    """Store the recording for every campaign that asks for it; False if that was done already.

    Raises NoCampaignAsks, audio.BadAudio, consent.NoConsent and intake.Duplicate; then nothing was stored.
    """
    language = _language(metadata, device)
    asks = taking_part.shown_to(device.owner, Campaign.objects.open().filter(kind=kind))
    if kind == Campaign.Kind.WAKE_WORD:
        asking = _asking_for_word(asks, metadata.wake_word)
    else:
        asking = _asking_in(list(asks), language)
    sound = intake.read(audio)
    until = now + timedelta(hours=device.owner.cooling_off)
    added = False
    for campaign in asking:
        spoken = language or campaign.language
        origin = intake.Origin(device.owner, Clip.Source.DEVICE, spoken, held_until=until)
        added |= intake.add(sound, campaign, origin, now)
    if added:
        devices.count_upload(device, now.date())
    return added


def _language(metadata: Metadata, device: Device) -> str:
    """The language code as this site writes it. Devices write en_US as well as en-us."""
    language = (metadata.language or device.about.get("language", "")).replace("_", "-")
    primary, *rest = language.split("-")
    language = "-".join([primary.lower(), *rest])
    if language and not languages.is_code(language):
        raise NoCampaignAsks(UploadRefusal.BAD_LANGUAGE)
    return language


def _asking_for_word(is_open: Iterable[Campaign], word: str) -> list[Campaign]:
    asking = [campaign for campaign in is_open if campaign.is_its_wake_word(word)]
    if not asking:
        raise NoCampaignAsks(UploadRefusal.UNKNOWN_WAKE_WORD)
    return asking


def _asking_in(is_open: list[Campaign], language: str) -> list[Campaign]:
    """Campaigns in this language, of any country. Without a language, all must be in the same one."""
    wanted = {languages.primary(campaign.language) for campaign in is_open}
    if not language and len(wanted) > 1:
        raise NoCampaignAsks(UploadRefusal.WHICH_LANGUAGE)
    if language:
        spoken = languages.primary(language)
        is_open = [each for each in is_open if languages.primary(each.language) == spoken]
    if not is_open:
        raise NoCampaignAsks(UploadRefusal.OTHER_LANGUAGE)
    return is_open
