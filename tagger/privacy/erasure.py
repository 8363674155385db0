"""Erase clips, a contributor or an account: request it, and queue the scrub for after the commit.

Each function returns the token of the erasure receipt, which exists nowhere else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import consent
from accounts.models import Material, Purpose, User
from tagger.privacy import tasks

from . import withdrawal
from .withdrawal import ErasureRequest


@dataclass(frozen=True)
class WithdrawalResult:
    """How many consents ended, and the token of the erasure receipt, empty if no clips are erased."""

    consents: int
    token: str


def erase_clips(contributor: User, clips: Collection[int], now: datetime) -> str:
    return _begin(withdrawal.forget_clips(contributor, clips, now))


def erase_contributor(contributor: User, now: datetime) -> str:
    return _begin(withdrawal.forget_contributor(contributor, now))


def erase_account(person: User, keep_answers: bool, now: datetime) -> str:
    return _begin(withdrawal.forget_account(person, keep_answers, now))


@transaction.atomic
def withdraw(
    contributor: User, now: datetime, material: Material | None, purpose: Purpose | None
) -> WithdrawalResult:
    """End these consents, or all if none is named. Clips that volunteers may no longer hear are erased."""
    rows = consent.withdraw(contributor, now, material=material, purpose=purpose)
    # Switching the disguise adds another consent row for the same material and purpose, so count pairs.
    ended = len({(row.material, row.purpose) for row in rows})
    if purpose and purpose != Purpose.VOLUNTEERS:
        return WithdrawalResult(ended, "")
    stored = contributor.clips.filter(withdrawal=None)
    going = list((stored.filter(material=material) if material else stored).values_list("pk", flat=True))
    if not going:
        return WithdrawalResult(ended, "")
    everything = material is None
    token = erase_contributor(contributor, now) if everything else erase_clips(contributor, going, now)
    return WithdrawalResult(ended, token)


def _begin(requested: ErasureRequest) -> str:
    tasks.scrub.delay_on_commit(requested.withdrawal)  # type: ignore[attr-defined]
    return requested.token
