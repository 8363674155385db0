"""The headers of a message, as Standard Webhooks 1.0.0 has them, by the library of that standard.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from standardwebhooks import Webhook as Signer

BYTES = 32  # the standard asks for 24 to 64


def new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(BYTES)).decode()}"


def name_of(delivery: UUID) -> str:
    """It stays the same however often the message is sent, so that its receiver knows what it has already."""
    return f"msg_{delivery.hex}"


def headers(delivery: UUID, body: str, now: datetime, keys: Iterable[str]) -> dict[str, str]:
    """`now` is the time of this attempt. Signed with each of the keys, as a secret is being replaced."""
    name, at = name_of(delivery), now.astimezone(UTC)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signer(key).sign(name, at, body) for key in keys),
    }
