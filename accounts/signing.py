"""The site's signature for documents that people keep: receipts and the recall feed.

Anyone can check it with the public key.

Ed25519 (RFC 8032) over canonical JSON: keys sorted, no spaces, UTF-8, without the field `signature`. The
private key is the file signing.key beside the master keys. It is never rotated with them: a receipt must be
checkable after the person whom it was for has left.
"""

import base64
import hashlib
import hmac
import json
import uuid
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from . import keyring, site
from .refusals import Refusal


class SignatureRefusal(StrEnum):
    UNSIGNED = "unsigned"
    OTHER_KEY = "other-key"
    MISMATCH = "signature-mismatch"
    NOT_JSON_DATA = "signed-data-not-json"
    NOT_BASE64 = "signature-not-base64"
    OTHER_SPELLING = "signature-respelled"


class BadSignature(Refusal):
    """This site did not sign this document as it is."""


def sign(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the fields `key` (which key) and `signature` (base64).

    The same document gives the same bytes each time.
    """
    signed = document | {"key": key_id()}
    signature = _private().sign(canonical_json(signed))
    return signed | {"signature": base64.b64encode(signature).decode()}


def verify(document: dict[str, Any]) -> None:
    """Raises BadSignature, unless this site signed exactly this document."""
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    if "signature" not in document or "key" not in document:
        raise BadSignature(SignatureRefusal.UNSIGNED)
    if document["key"] != key_id():
        raise BadSignature(SignatureRefusal.OTHER_KEY)
    try:
        _private().public_key().verify(_signature(document["signature"]), canonical_json(unsigned))
    except InvalidSignature:
        raise BadSignature(SignatureRefusal.MISMATCH) from None


def public_key() -> dict[str, str]:
    """Everything needed to check a signature without this site."""
    return {
        "key": key_id(),
        "algorithm": "Ed25519",
        "public_key": base64.b64encode(_public_bytes()).decode(),
        "signed": "the document without its field signature, as JSON with sorted keys, no spaces, in UTF-8",
    }


def key_id() -> str:
    return hashlib.sha256(_public_bytes()).hexdigest()[:16]


def canonical_json(document: dict[str, Any]) -> bytes:
    """The one spelling of a document that is signed. Raises BadSignature if it cannot be written as JSON.

    >>> canonical_json({"b": 1, "a": "ñ"}).decode()
    '{"a":"ñ","b":1}'
    """
    try:
        spelled = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return spelled.encode()
    except ValueError as error:  # NaN, or half of a surrogate pair
        raise BadSignature(SignatureRefusal.NOT_JSON_DATA) from error


def pseudonym(subject: str) -> str:
    """A UUID that is always the same for this subject, and random to anyone without the signing key."""
    secret = hmac.digest(_secret(), b"pseudonyms", "sha256")
    return str(uuid.UUID(bytes=hmac.digest(secret, subject.encode(), "sha256")[:16], version=4))


def _signature(encoded: Any) -> bytes:
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (TypeError, ValueError):
        raise BadSignature(SignatureRefusal.NOT_BASE64) from None
    # The last base64 letter has unused bits, so without this several spellings would decode to one signature.
    if base64.b64encode(signature).decode() != encoded:
        raise BadSignature(SignatureRefusal.OTHER_SPELLING)
    return signature


def _private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_secret())


def _public_bytes() -> bytes:
    return _private().public_key().public_bytes_raw()


def _secret() -> bytes:
    if not keyring.exists(keyring.SIGNING):
        site.establish()  # makes it for an empty site, and refuses for any other
    return keyring.read(keyring.SIGNING)
