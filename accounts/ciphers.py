"""Encryption: bytes in, bytes out. No database and no files.

Everything is sealed with AES-256-GCM (NIST SP 800-38D): a 12-byte random nonce, the ciphertext, a 16-byte
tag.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
KEY = 32


class KeyLost(Exception):
    """The key for this is gone: it was erased, or the master keys were lost."""


def seal(key: bytes, plain: bytes, name: str) -> bytes:
    """Encrypt under `key`. `name` is authenticated too, so one ciphertext cannot be swapped for another."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, name.encode())


def unseal(key: bytes, sealed: bytes, name: str) -> bytes:
    """Decrypt. Raises KeyLost if `sealed` was made under another key or another name."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], name.encode())
    except (InvalidTag, ValueError):  # ValueError: too short to be a sealed value
        raise KeyLost(f"{name} does not open with its key") from None


def keyed_hash(key: bytes, use: str, text: str) -> str:
    """A hash that only holders of `key` can compute, in hex. `use` separates hashes for different uses."""
    secret = hmac.digest(key, use.encode(), "sha256")
    return hmac.new(secret, text.encode(errors="replace"), hashlib.sha256).hexdigest()
