"""How a recording that was stored before is recognised, without a hash that others could compute.

A clip's row has the SHA-256 of its samples twice: as a keyed hash under the present master key, which is
looked up, and sealed under the contributor's data key, so that a key rotation can make the hash again. An
old backup has hashes under a key that was destroyed: they confirm no guess.
"""

import logging
import secrets
from collections.abc import Iterable

from django.db import connection, transaction

from accounts import keyring, keys
from accounts.ciphers import seal, unseal
from accounts.key_rotation import older_masters
from accounts.models import DataKey
from datasets.models import Clip, ClipQuerySet

logger = logging.getLogger(__name__)

BATCH_SIZE = 1_000


def hashes(fingerprints: Iterable[str]) -> dict[str, str]:
    """Every hash under which one of these sounds may be stored, and whose it is."""
    hashing = keyring.hashing_keys()
    found = {keyring.hash_under(name, _text(each)): each for each in fingerprints for name in hashing}
    if keyring.OLD_HASHES in hashing:  # an older site stored the fingerprint itself
        found |= {each: each for each in fingerprints}
    return found


def columns(fingerprint: str, name: str, data_key: bytes, master: str) -> dict[str, str | int | bytes]:
    """The columns of a new clip that is stored as `name`. `master` is what `lock_master` returned."""
    return {
        "samples_hash": keyring.hash_under(master, _text(fingerprint)),
        "hashed_under": int(master),
        "sealed_samples": sealed(fingerprint, name, data_key),
    }


def sealed(fingerprint: str, name: str, data_key: bytes) -> bytes:
    """The column `sealed_samples` of a clip that is stored as `name`."""
    return seal(data_key, fingerprint.encode(), label(name))


def label(stored_as: str) -> str:
    return f"fingerprint of {stored_as}"


def of(clip: Clip) -> str:
    """The SHA-256 of the clip's samples, in hex. Raises KeyLost."""
    return _open(clip, keys.existing_key(clip.contributor))


def reseal(clip: Clip, old: bytes, new: bytes) -> None:
    """Under the contributor's new data key instead of the old one. Does not save."""
    clip.sealed_samples = seal(new, _open(clip, old).encode(), label(clip.stored_as))


def rehash(after: int = 0) -> int:
    """Hash a batch of clips, whose numbers are above `after`, under the present master key.

    Returns the last number, from which the next batch goes on; 0 if no clip was left. Clips that someone else
    is changing are left for a later pass.
    """
    older = [master.number for master in older_masters()]
    return _rehash(Clip.objects.filter(hashed_under__in=older), after) if older else 0


def rehash_restored(after: int = 0) -> int:
    """As `rehash`, in a restored database: its hashes may be under master keys that are gone."""
    with transaction.atomic():
        return _rehash(Clip.objects.exclude(hashed_under=int(DataKey.objects.lock_master())), after)


def _rehash(clips: ClipQuerySet, after: int) -> int:
    with transaction.atomic():
        master = DataKey.objects.lock_master()
        waiting = clips.filter(pk__gt=after).order_by("pk")
        batch = list(waiting.select_for_update(skip_locked=True, of=("self",))[:BATCH_SIZE])
        rows = DataKey.objects.filter(person__in={clip.contributor_id for clip in batch})
        owners = {row.person_id: row for row in rows}
        opened = keys.KeyCache()
        _save([(clip, *_rehashed(clip, owners, opened, master)) for clip in batch], master)
    return batch[-1].pk if batch else 0


def is_rehashed(numbers: list[int]) -> bool:
    """Whether no clip is hashed under these master keys any more."""
    return not Clip.objects.filter(hashed_under__in=numbers).exists()


def _rehashed(
    clip: Clip, owners: dict[int, DataKey], opened: keys.KeyCache, master: str
) -> tuple[str, bytes]:
    """The hash and the sealed fingerprint. Without its key a clip is recognised no more, and is reported."""
    owner = owners.get(clip.contributor_id)
    try:
        if owner is None:
            raise keys.KeyLost("this person has no key any more")
        data_key = opened.data_key(clip.contributor_id, owner.wrapped, owner.master)
        fingerprint = _open(clip, data_key)
    except keys.KeyLost:
        if clip.withdrawal_id is None:
            logger.error("the fingerprint of clip %s does not open", clip.pk)
        return f"lost-{secrets.token_hex(16)}", bytes(clip.sealed_samples)
    hashed = keyring.hash_under(master, _text(fingerprint))
    return hashed, seal(data_key, fingerprint.encode(), label(clip.stored_as))


def _open(clip: Clip, data_key: bytes) -> str:
    if clip.hashed_under == 0 and not clip.sealed_samples:  # an older site stored the fingerprint itself
        return clip.samples_hash
    return unseal(data_key, bytes(clip.sealed_samples), label(clip.stored_as)).decode()


def _text(fingerprint: str) -> str:
    return f"samples {fingerprint}"


def _save(rehashed: list[tuple[Clip, str, bytes]], master: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE datasets_clip AS row SET samples_hash = new.hash, sealed_samples = new.sealed,"
            " hashed_under = %s"
            " FROM unnest(%s::bigint[], %s::text[], %s::bytea[]) AS new (id, hash, sealed)"
            " WHERE row.id = new.id",
            [
                int(master),
                [clip.pk for clip, _, _ in rehashed],
                [hashed for _, hashed, _ in rehashed],
                [sealed for _, _, sealed in rehashed],
            ],
        )
