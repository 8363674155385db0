"""What pages call to forget: the act, and after its commit the worker that scrubs.

Each gives the token of the receipt, which exists nowhere else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import consent
from accounts.models import Material, Purpose, User
from tagger.privacy import tasks

from . import withdrawal
from .withdrawal import Requested


@dataclass(frozen=True)
class Withdrawn:
    """How many consents ended, and the receipt's token where clips went with them."""

    consents: int
    token: str


def of_clips(contributor: User, clips: Collection[int], now: datetime) -> str:
    return _begin(withdrawal.forget_clips(contributor, clips, now))


def of_contributor(contributor: User, now: datetime) -> str:
    return _begin(withdrawal.forget_contributor(contributor, now))


def of_account(person: User, keep_answers: bool, now: datetime) -> str:
    return _begin(withdrawal.forget_account(person, keep_answers, now))


@transaction.atomic
def withdraw(
    contributor: User, now: datetime, material: Material | None, purpose: Purpose | None
) -> Withdrawn:
    """End these consents, all where none is named. What volunteers may not hear any more is erased."""
    rows = consent.withdraw(contributor, now, material=material, purpose=purpose)
    ended = len({(row.material, row.purpose) for row in rows})  # a changed wish is a row of its own
    if purpose and purpose != Purpose.VOLUNTEERS:
        return Withdrawn(ended, "")
    held = contributor.clips.filter(withdrawal=None)
    going = list((held.filter(material=material) if material else held).values_list("pk", flat=True))
    if not going:
        return Withdrawn(ended, "")
    everything = material is None
    token = of_contributor(contributor, now) if everything else of_clips(contributor, going, now)
    return Withdrawn(ended, token)


def _begin(requested: Requested) -> str:
    tasks.scrub.delay_on_commit(requested.withdrawal)  # type: ignore[attr-defined]
    return requested.token
