"""The contents of a file in the vault, and what opens it."""

import hashlib
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from accounts import ciphers, keys
from datasets.clips import vault
from tests.support.mutants import mutant

WAV = b"RIFF" + bytes(range(256)) * 99
SIZE = len(WAV)
KEY = bytes(range(32))


@pytest.fixture
def name():
    stored_as = vault.new_name()
    vault.put(stored_as, KEY, WAV)
    yield stored_as
    vault.destroy(stored_as)


def buffer(size=SIZE):
    return memoryview(bytearray(size))


def test_a_sound_is_read_with_its_digest(name):
    written = buffer()
    assert vault.read_into(written, name, KEY) == hashlib.sha256(WAV).digest()
    assert bytes(written) == vault.read(name, KEY) == WAV


def test_several_files_are_stored_as_one_is(name):
    other = vault.new_name()
    vault.put_all([(other, KEY, WAV)])
    assert vault.read_into(buffer(), other, KEY) == hashlib.sha256(WAV).digest()
    vault.destroy(other)


@mutant(
    "the digest of a sound is sealed as the sound is",
    "datasets/clips/vault.py",
    kept_by="keys.seal(key, hashlib.sha256(wav).digest(), _label(name))",
    broken="hashlib.sha256(wav).digest()",
)
def test_a_file_contains_neither_the_sound_nor_its_digest_in_plain(name):
    stored = Path(storages["vault"].path(name)).read_bytes()
    assert WAV[:64] not in stored and hashlib.sha256(WAV).digest() not in stored


def test_an_older_file_without_a_digest_opens():
    name = vault.new_name()
    storages["vault"].save(name, ContentFile(ciphers.seal(KEY, WAV, name)))
    written = buffer()
    assert vault.read_into(written, name, KEY) == b""
    assert bytes(written) == vault.read(name, KEY) == WAV
    vault.destroy(name)


@pytest.mark.parametrize("read", [vault.read, lambda *at: vault.read_into(buffer(), *at)])
@pytest.mark.parametrize(
    "change",
    [
        lambda stored: bytes([stored[0] ^ 1]) + stored[1:],
        lambda stored: stored[:-1] + bytes([stored[-1] ^ 1]),
        lambda stored: stored[:50] + bytes([stored[50] ^ 1]) + stored[51:],
    ],
    ids=["its beginning", "its end", "its middle"],
)
def test_a_changed_file_does_not_open(name, change, read):
    path = Path(storages["vault"].path(name))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(keys.KeyLost):
        read(name, KEY)


@pytest.mark.parametrize("read", [vault.read, lambda *at: vault.read_into(buffer(), *at)])
def test_the_digest_of_another_sound_is_not_accepted(name, read):
    other = vault.new_name()
    vault.put(other, KEY, WAV)
    paths = [Path(storages["vault"].path(each)) for each in (name, other)]
    digest = paths[1].read_bytes()[-vault.DIGEST :]
    paths[0].write_bytes(paths[0].read_bytes()[: -vault.DIGEST] + digest)
    with pytest.raises(keys.KeyLost):
        read(name, KEY)
    vault.destroy(other)


@pytest.mark.parametrize("read", [vault.read, lambda *at: vault.read_into(buffer(), *at)])
def test_another_key_opens_nothing(name, read):
    with pytest.raises(keys.KeyLost):
        read(name, bytes(32))


@pytest.mark.parametrize("size", [0, SIZE - 2, SIZE + 2])
def test_a_sound_is_not_read_into_a_buffer_of_another_size(name, size):
    with pytest.raises(vault.WrongSize):
        vault.read_into(buffer(size), name, KEY)


def test_a_missing_file_is_not_found():
    with pytest.raises(FileNotFoundError):
        vault.read_into(buffer(), vault.new_name(), KEY)
