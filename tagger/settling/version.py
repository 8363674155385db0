"""The version of the consensus engine; apart from it, as web processes load this without the engine."""

from collections.abc import Mapping
from typing import Any

# Raised by one whenever the same votes and parameters may come to another verdict. What an earlier version
# settled is then settled again, in batches (tagger.learning.recomputing).
VERSION = 2


def is_earlier(certificate: Mapping[str, Any] | None) -> bool:
    """Whether only an earlier version could recompute it; this one makes another in its place by and by."""
    return certificate["engine"] < VERSION if certificate else False
