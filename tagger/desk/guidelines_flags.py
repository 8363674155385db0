"""Flags on guidelines: volunteers say that they are unclear, and the campaign's owner and reviewers are told.

A flag is about one text of the guidelines. Once they are changed, it is not shown any more.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts import keys
from accounts.models import User
from datasets import reviewing
from datasets.models import Campaign
from tagger.lending import notes
from tagger.models import GuidelinesFlag

MOST_SHOWN = 200


@dataclass
class Unclear:
    """How many people flagged a campaign's present guidelines, and what they wrote, without their names."""

    campaign: Campaign
    people: int
    notes: list[str]


def raise_flag(person: User, campaign: Campaign, note: str, now: datetime) -> None:
    """Say that the guidelines are unclear. A second time replaces the note. Raises AnswerRefused."""
    note = notes.checked(note)
    sealed = keys.seal(keys.data_key(person), note.encode(), _label(person.pk, campaign.pk)) if note else b""
    GuidelinesFlag.objects.update_or_create(
        person=person,
        campaign=campaign,
        version=version_of(campaign),
        defaults={"sealed_note": sealed, "at": now, "seen_by_owner_at": None, "seen_by_reviewers_at": None},
    )


def version_of(campaign: Campaign) -> str:
    return hashlib.sha256(campaign.guidelines.encode()).hexdigest()[:16]


def unseen_by(person: User) -> list[Unclear]:
    """What this person has to see: of the campaigns that they own, and that they review."""
    unseen = Q(campaign__owner=person, seen_by_owner_at=None)
    unseen |= Q(campaign__in=reviewing.reviewed_by(person), seen_by_reviewers_at=None)
    rows = GuidelinesFlag.objects.filter(unseen).select_related("campaign", "person__data_key")
    return _by_campaign(row for row in rows.order_by("campaign__slug", "at")[:MOST_SHOWN])


def mark_seen(campaign: Campaign, person: User, now: datetime) -> None:
    """By the owner, or by the reviewers, of whom one is enough; by both if the person is both."""
    flags = GuidelinesFlag.objects.filter(campaign=campaign, at__lte=now)
    if campaign.owner_id == person.pk:
        flags.filter(seen_by_owner_at=None).update(seen_by_owner_at=now)
    if reviewing.may_review(person, campaign.pk):
        flags.filter(seen_by_reviewers_at=None).update(seen_by_reviewers_at=now)


def note_of(flag: GuidelinesFlag) -> str:
    """Empty if there is none, or if its author's key is gone."""
    if not flag.sealed_note:
        return ""
    try:
        key = keys.existing_key(flag.person)
        return keys.unseal(key, bytes(flag.sealed_note), _label(flag.person_id, flag.campaign_id)).decode()
    except keys.KeyLost:
        return ""


def reseal(person: User, old: bytes, new: bytes) -> None:
    """Seal the person's notes under their new data key; one that the old key does not open is dropped."""
    for flag in person.guidelines_flags.exclude(sealed_note=b""):
        label = _label(person.pk, flag.campaign_id)
        try:
            sealed = keys.seal(new, keys.unseal(old, bytes(flag.sealed_note), label), label)
        except keys.KeyLost:
            sealed = b""
        GuidelinesFlag.objects.filter(pk=flag.pk).update(sealed_note=sealed)


def _by_campaign(flags: Iterable[GuidelinesFlag]) -> list[Unclear]:
    found: dict[int, Unclear] = {}
    for flag in flags:
        if flag.version == version_of(flag.campaign):
            unclear = found.setdefault(flag.campaign_id, Unclear(flag.campaign, 0, []))
            unclear.people += 1
            unclear.notes += filter(None, [note_of(flag)])
    return list(found.values())


def _label(person: int, campaign: int) -> str:
    return f"note of person {person} on the guidelines of campaign {campaign}"
