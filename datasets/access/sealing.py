"""What somebody said of themselves when they asked for a release, sealed under their data key.

A name may be a real one here, and a purpose may tell who somebody is. Both end with the person's key.
"""

import json
from dataclasses import asdict, dataclass

from accounts import keys
from accounts.ciphers import KeyLost
from accounts.models import User
from datasets.models import AccessRequest


@dataclass(frozen=True)
class About:
    """`reason` is what the steward wrote when they refused or ended it."""

    name: str
    purpose: str
    reason: str = ""


def seal(asked: AccessRequest, about: About) -> None:
    """It is not saved. Hold the lock of its person, whose key might be replaced meanwhile."""
    asked.sealed_about = _sealed(keys.existing_key(asked.person), asked, about)


def unseal(asked: AccessRequest) -> About:
    """Raises KeyLost if the person left, or the key is of another time."""
    plain = keys.unseal(keys.existing_key(asked.person), bytes(asked.sealed_about), _label(asked))
    return About(**json.loads(plain))


def reseal(person: User, old: bytes, new: bytes) -> None:
    """Under a person's new data key, for all of their requests."""
    for asked in person.access_requests.select_for_update().order_by("pk"):
        try:
            plain = keys.unseal(old, bytes(asked.sealed_about), _label(asked))
        except KeyLost:  # of a backup from before the data key was replaced
            continue
        asked.sealed_about = keys.seal(new, plain, _label(asked))
        asked.save(update_fields=["sealed_about"])


def _sealed(key: bytes, asked: AccessRequest, about: About) -> bytes:
    return keys.seal(key, json.dumps(asdict(about)).encode(), _label(asked))


def _label(asked: AccessRequest) -> str:
    return f"access request {asked.pk}"
