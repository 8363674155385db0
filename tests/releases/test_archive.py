"""A release as a tar: the files of the export, from any byte on, without what was withdrawn."""

import hashlib
import io
import tarfile
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import consent
from accounts.models import Purpose, User
from datasets.clips import vault
from datasets.models import Clip
from datasets.releases import archive, formats, frozen, plan, readahead, scratch, tar
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import release, settle


@pytest.fixture
def wendy(db):
    person = User.objects.create_user("wendy")
    for material in ("wake-word", "utterance"):
        consent.give(person, material, Purpose, NOW, reference="on paper")
    return person


@pytest.fixture
def spring(juniper, share, alice, wendy):
    """Five clips, two of Alice and three of Wendy."""
    for answer, contributor in zip(("yes", "no", "yes", "noise", "yes"), (alice, wendy) * 3, strict=False):
        settle(share(juniper, contributor), answer)
    return release("spring", juniper)


def opened(held, form="precise"):
    return archive.Archive(held, formats.find(form))


def whole(held, form="precise"):
    with opened(held, form) as one:
        return b"".join(one.stream())


def files(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as unpacked:
        return {member.name: unpacked.extractfile(member).read() for member in unpacked}


def counted(monkeypatch):
    """Which files of the vault are read from now on, in their order."""
    read, asked = vault.open_into, []

    def counting(room, stored_as, key):
        asked.append(stored_as)
        return read(room, stored_as, key)

    monkeypatch.setattr(vault, "open_into", counting)
    return asked


def exported(held, to, form="precise"):
    call_command("export", held.slug, format=form, to=to, stdout=io.StringIO())
    return {str(path.relative_to(to)): path.read_bytes() for path in to.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", formats.FORMATS)
def test_an_archive_holds_the_files_of_the_export(spring, tmp_path, form):
    assert files(whole(spring, form)) == exported(spring, tmp_path / "out", form)


def test_words_are_in_an_archive_as_they_were_settled(sentences, share, alice, tmp_path):
    settle(share(sentences), "turn on the lights")
    held = release("said", sentences)
    found = files(whole(held, "deepspeech"))
    tables = b"".join(found[f"{split}.csv"] for split in ("train", "dev", "test"))
    assert (
        b",turn on the lights\n" in tables and b'"answer": "turn on the lights"' in found["soft-labels.jsonl"]
    )
    assert found == exported(held, tmp_path / "out", "deepspeech")


def test_the_same_release_is_the_same_bytes_under_the_same_tag(spring):
    with opened(spring) as one, opened(spring) as two:
        assert (b"".join(one.stream()), one.etag) == (b"".join(two.stream()), two.etag)


@pytest.mark.parametrize("form", formats.FORMATS)
def test_an_archive_is_as_long_as_it_says(spring, form):
    with opened(spring, form) as one:
        assert len(b"".join(one.stream())) == one.size


@pytest.mark.parametrize("together", [1, 2, 64])
@pytest.mark.parametrize("length", [512, 4_097, 50_001])
def test_pieces_of_any_length_joined_are_the_whole(spring, length, together, monkeypatch):
    monkeypatch.setattr(plan, "GROUP_SOUNDS", together)
    expected, joined = whole(spring), b""
    for first in range(0, len(expected), length):
        with opened(spring) as one:
            joined += b"".join(one.stream(first, min(first + length, one.size) - 1))
    assert joined == expected


def test_every_end_of_an_archive_is_its_end(spring):
    expected = whole(spring)
    for first in range(0, len(expected), 7_919):
        with opened(spring) as one:
            assert b"".join(one.stream(first)) == expected[first:]


def test_a_part_in_the_middle_reads_the_sounds_in_it_and_no_other(spring, monkeypatch):
    monkeypatch.setattr(plan, "GROUP_SOUNDS", 1)
    expected = whole(spring)
    asked = counted(monkeypatch)
    third = [at for at in range(0, len(expected), 512) if expected[at:].startswith(b"RIFF")][2]
    with opened(spring) as one:
        assert b"".join(one.stream(third, third + 99)) == expected[third : third + 100]
    row = spring.rows.order_by("public_id").filter(split__in=["train", "dev", "test"])[2]
    assert asked == [row.task.clip.stored_as]


def test_a_voice_is_read_once_for_the_whole_archive(spring, monkeypatch):
    asked = counted(monkeypatch)
    whole(spring)
    assert sorted(asked) == sorted(Clip.objects.values_list("stored_as", flat=True))


@mutant(
    "what was withdrawn is in no later archive",
    "datasets/releases/frozen.py",
    kept_by="    return release.rows.filter(~Exists(recalled), task__in=allowed)",
    broken="    return release.rows.filter(~Exists(recalled))",
)
@pytest.mark.parametrize("end", ["consent", "hidden", "held back"])
def test_what_was_withdrawn_is_in_no_later_archive(spring, wendy, end):
    gone = [vault.get(row.task.clip) for row in spring.rows.filter(task__clip__contributor=wendy)]
    names = [row.public_id.encode() for row in spring.rows.filter(task__clip__contributor=wendy)]
    before = whole(spring)
    with opened(spring) as one:
        tag = one.etag
    if end == "consent":
        consent.withdraw(wendy, NOW, purpose=Purpose.RESEARCHERS)
        consent.withdraw(wendy, NOW)
    elif end == "hidden":
        wendy.clips.update(hidden_at=NOW)
    else:
        wendy.clips.update(held_until=NOW.replace(year=9000))
    after = whole(spring)
    assert all(part in before for part in gone + names)
    assert not any(part in after for part in gone + names)
    assert files(after).keys() < files(before).keys()
    with opened(spring) as one:
        assert one.etag != tag


@mutant(
    "what is withdrawn while an archive streams is not sent any more",
    "datasets/releases/frozen.py",
    kept_by='        AND {live.tasks(audience, "task.id")}\n',
    broken="",
)
@mutant(
    "what was read ahead is not sent any more once it is withdrawn",
    "datasets/releases/readahead.py",
    kept_by="        sounds.check(position)\n",
    broken="",
)
@pytest.mark.parametrize("together", [1, 64])
def test_what_is_withdrawn_while_it_streams_breaks_the_stream_off_before_its_first_byte(
    spring, alice, monkeypatch, caplog, together
):
    """Also what was read already, ahead of what was sent."""
    monkeypatch.setattr(plan, "GROUP_SOUNDS", together)
    monkeypatch.setattr(readahead, "BATCH_BYTES", 1)  # each sound by itself
    monkeypatch.setattr(readahead, "LIVE_CHECK_SECONDS", 0)  # ask for every batch
    expected = whole(spring)
    gone = [vault.get(row.task.clip) for row in spring.rows.filter(task__clip__contributor=alice)]
    sent = b""
    with opened(spring) as one:
        pieces = one.stream()
        while b"RIFF" not in sent:
            sent += next(pieces)
        held = sum(part in sent for part in gone)
        consent.withdraw(alice, NOW)
        with pytest.raises(frozen.ClipWithdrawn):
            for piece in pieces:
                sent += piece
    assert expected.startswith(sent) and len(sent) < len(expected)
    assert sum(part in sent for part in gone) == held < len(gone)
    assert f"archive of spring in precise broken off at byte {len(sent)} of {len(expected)}" in caplog.text


def test_no_more_is_read_ahead_than_is_held_in_memory(spring, monkeypatch):
    monkeypatch.setattr(readahead, "BATCH_BYTES", 1)
    monkeypatch.setattr(readahead, "BATCHES_AHEAD", 1)
    asked, sent = counted(monkeypatch), b""
    with opened(spring) as one:
        pieces = one.stream()
        while b"RIFF" not in sent:
            sent += next(pieces)
        one._read_ahead._pool.submit(int).result()  # waits until all that was started is read
        assert len(asked) == 2


def test_a_sound_of_another_size_breaks_the_stream_off(spring, caplog):
    clip = spring.rows.first().task.clip
    other = vault.get(clip) + b"\0\0"
    vault.destroy(clip.stored_as)
    vault.put(clip.stored_as, clip.key, other)
    with opened(spring) as one, pytest.raises(frozen.ClipWithdrawn):
        list(one.stream())
    assert "broken off" in caplog.text and frozen.ClipRefusal.RESIZED in caplog.text


def test_the_checksums_are_those_of_the_files(spring):
    """By hashing them, because what is stored with a sound may be wrong."""
    held = files(whole(spring))
    lines = held.pop("checksums.sha256").decode().splitlines()
    assert dict(reversed(line.split("  ")) for line in lines) == {
        name: hashlib.sha256(content).hexdigest() for name, content in held.items()
    }


def test_sounds_that_were_stored_without_a_digest_make_the_same_archive(spring, tmp_path):
    expected = whole(spring)
    for clip in Clip.objects.all():
        path = Path(storages["vault"].path(clip.stored_as))
        path.write_bytes(path.read_bytes()[: -vault.DIGEST])
        assert vault.get(clip).startswith(b"RIFF")
    assert whole(spring) == expected
    with opened(spring) as one:
        assert b"".join(one.stream(one.plan.checksums_start)) == expected[one.plan.checksums_start :]
    assert exported(spring, tmp_path / "out") == files(expected)


def test_a_file_that_is_gone_breaks_the_stream_off(spring, caplog):
    with opened(spring) as one:
        vault.destroy(spring.rows.first().task.clip.stored_as)
        with pytest.raises(FileNotFoundError):
            list(one.stream())
    assert "broken off" in caplog.text


def test_an_archive_tells_no_time_finer_than_a_quarter_and_nobody(spring):
    with tarfile.open(fileobj=io.BytesIO(whole(spring))) as unpacked:
        told = {(member.mtime, member.uid, member.uname, member.mode) for member in unpacked}
    assert told == {(1_775_001_600, 0, "", 0o644)}  # 2026-04-01


@pytest.mark.parametrize(
    ("path", "size"),
    [("a.wav", 5), ("a" * 100, 0), ("d/" + "a" * 200, 5), ("qué.wav", 5), ("a.wav", 9 * 2**30)],
    ids=["short", "just fits", "long", "not ASCII", "9 GB"],
)
def test_a_header_is_read_as_it_was_meant(path, size):
    head = tar.header(path, size, mtime=7)
    with tarfile.open(fileobj=io.BytesIO(head + bytes(1024))) as unpacked:
        member = unpacked.next()
    assert (member.name, member.size, member.mtime, member.isreg()) == (path, size, 7, True)


def test_an_archive_takes_as_many_queries_for_many_clips_as_for_few(juniper, share, spring):
    whole(spring)  # what is made once for a connection is made
    with CaptureQueriesContext(
        connection,
    ) as few:
        whole(spring)
    for _ in range(9):
        settle(share(juniper))
    more = release("more", juniper)
    with CaptureQueriesContext(connection) as many:
        whole(more)
    assert len(many) == len(few) > 0
    assert more.rows.count() == 14


@pytest.mark.parametrize("held", [0, 2])
def test_rows_that_are_laid_aside_make_the_same_archive(spring, held, monkeypatch):
    expected = whole(spring)
    monkeypatch.setattr(plan, "ROWS_IN_MEMORY", held)
    assert whole(spring) == expected


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_rows_come_in_order_whatever_the_batch_size(spring, batch_size, monkeypatch):
    expected = list(frozen.rows(spring))
    monkeypatch.setattr(frozen, "BATCH_SIZE", batch_size)
    assert list(frozen.rows(spring)) == expected
    assert all(one.id < other.id for one, other in pairwise(expected)) and len(expected) == 5


def test_what_is_laid_aside_lies_on_disk_as_ciphertext():
    secret = b"what somebody said " * 40_000
    with scratch.EncryptedText() as text:
        text.write(secret)
        text.finish()
        assert b"".join(text.get(number) for number in range(len(text))) == secret
        text._file.seek(0)
        stored = text._file.read()
    assert len(stored) > len(secret) and b"somebody" not in stored
