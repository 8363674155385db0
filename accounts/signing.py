"""The site's signature under what people may keep: receipts and the recall feed.

Anybody can check it with the public key.

Ed25519 (RFC 8032) over canonical JSON: keys sorted, no spaces, UTF-8, without the field `signature`. The
private key is the file signing.key beside the master keys. It is never rotated with them: a receipt must be
checkable after the person whom it was for has left.
"""

import base64
import hashlib
import hmac
import json
import uuid
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.utils.translation import gettext as _

from . import ciphers

KEY = "signing"


class BadSignature(Exception):
    """This site did not sign this document as it stands."""


def sign(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the fields `key` (which key) and `signature` (base64).

    The same document gives the same bytes each time.
    """
    signed = document | {"key": key_id()}
    signature = _private().sign(canonical(signed))
    return signed | {"signature": base64.b64encode(signature).decode()}


def verify(document: dict[str, Any]) -> None:
    """Raises BadSignature with the reason, unless this site signed exactly this."""
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    if "signature" not in document or "key" not in document:
        raise BadSignature(_("It bears no signature: the fields “key” and “signature” must both be there."))
    if document["key"] != key_id():
        raise BadSignature(_("It was signed with another key than this site's."))
    try:
        _private().public_key().verify(_signature(document["signature"]), canonical(unsigned))
    except InvalidSignature:
        words = _(
            "The signature does not fit: a field was changed, added or removed, or this site never signed it."
        )
        raise BadSignature(words) from None


def public_key() -> dict[str, str]:
    """What anybody needs to check a signature without this site."""
    return {
        "key": key_id(),
        "algorithm": "Ed25519",
        "public_key": base64.b64encode(_public_bytes()).decode(),
        "signed": "the document without its field signature, as JSON with sorted keys, no spaces, in UTF-8",
    }


def key_id() -> str:
    return hashlib.sha256(_public_bytes()).hexdigest()[:16]


def canonical(document: dict[str, Any]) -> bytes:
    """One spelling for one meaning.

    >>> canonical({"b": 1, "a": "ñ"}).decode()
    '{"a":"ñ","b":1}'
    """
    try:
        spelled = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return spelled.encode()
    except ValueError as error:  # a number that is none, half a character
        raise BadSignature(_("It holds something that cannot be written as JSON.")) from error


def pseudonym(of: str) -> str:
    """A name that says nothing: random to whoever lacks the signing key, the same at each asking."""
    secret = hmac.digest(_secret(), b"pseudonyms", "sha256")
    return str(uuid.UUID(bytes=hmac.digest(secret, of.encode(), "sha256")[:16], version=4))


def _signature(written: Any) -> bytes:
    try:
        signature = base64.b64decode(written, validate=True)
    except (TypeError, ValueError):
        raise BadSignature(_("Its signature cannot be read: it is not base64.")) from None
    # The last letter has bits to spare: without this, several spellings would mean one signature.
    if base64.b64encode(signature).decode() != written:
        raise BadSignature(_("Its signature is not spelled as this site spells it."))
    return signature


def _private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_secret())


def _public_bytes() -> bytes:
    return _private().public_key().public_bytes_raw()


def _secret() -> bytes:
    if not (settings.MASTER_KEYS / f"{KEY}.key").exists():
        ciphers.make(KEY)
    return ciphers.master(KEY)
