"""Address and secrets of a webhook, sealed under the data key of whoever made it.

An address may name a person, and often is a secret itself. Both end with their maker's key.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Self

from accounts import keys
from accounts.ciphers import KeyLost
from accounts.models import User
from datasets.models import Webhook

from . import signing


@dataclass(frozen=True)
class Sealed:
    """`old_secret` still signs until `old_until`, a time in ISO format."""

    url: str
    secret: str
    old_secret: str = ""
    old_until: str = ""

    def secrets(self, now: datetime) -> list[str]:
        """All that sign at this time."""
        is_old_valid = bool(self.old_secret) and now < datetime.fromisoformat(self.old_until)
        return [self.secret, self.old_secret] if is_old_valid else [self.secret]

    def with_new_secret(self, until: datetime) -> Self:
        return replace(self, secret=signing.new_secret(), old_secret=self.secret, old_until=until.isoformat())


def seal(hook: Webhook, content: Sealed) -> None:
    """It is not saved. Hold the lock of its maker, whose key might be replaced meanwhile."""
    plain = json.dumps(asdict(content)).encode()
    hook.sealed = keys.seal(keys.existing_key(hook.maker), plain, _label(hook))


def unseal(hook: Webhook) -> Sealed:
    """Raises KeyLost if its maker left, or the key is of another time."""
    return Sealed(**json.loads(keys.unseal(keys.existing_key(hook.maker), bytes(hook.sealed), _label(hook))))


def reseal(maker: User, old: bytes, new: bytes) -> None:
    """Under a person's new data key, for all of their webhooks."""
    for hook in maker.webhooks.select_for_update().order_by("pk"):
        try:
            plain = keys.unseal(old, bytes(hook.sealed), _label(hook))
        except KeyLost:  # of a backup from before the data key was replaced
            continue
        hook.sealed = keys.seal(new, plain, _label(hook))
        hook.save(update_fields=["sealed"])


def _label(hook: Webhook) -> str:
    return f"webhook {hook.pk}"
