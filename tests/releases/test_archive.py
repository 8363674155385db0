"""A release as a tar: the files of an export, from any byte on, without the sound of withdrawn clips."""

import hashlib
import io
import tarfile
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import soundfile
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import consent
from accounts.models import Material, Purpose, User
from datasets.clips import vault
from datasets.models import ArchivePlan, Clip, Release, Withdrawal
from datasets.releases import archive, formats, frozen, plan, readahead, recalls, retraction, spans, tar
from datasets.releases.formats import layout
from tagger.privacy import withdrawal
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import WITHOUT_SYNTHESIS, release, settle


@pytest.fixture
def wendy(db):
    person = User.objects.create_user("wendy")
    for material in Material:
        consent.give(person, material, material.purposes, NOW, reference="on paper")
    return person


@pytest.fixture
def spring(juniper, share, alice, wendy):
    """Five clips, two of Alice and three of Wendy."""
    for answer, contributor in zip(("yes", "no", "yes", "noise", "yes"), (alice, wendy) * 3, strict=False):
        settle(share(juniper, contributor), answer)
    return release("spring", juniper)


def opened(release, form="precise"):
    return archive.Archive(Release.objects.get(pk=release.pk), formats.find(form))


def whole(release, form="precise"):
    with opened(release, form) as one:
        return b"".join(one.stream())


def files(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as unpacked:
        return {member.name: unpacked.extractfile(member).read() for member in unpacked}


def files_read(monkeypatch):
    """The names of the vault's files that are read from now on, in order."""
    read_into, names = vault.read_into, []

    def recording(buffer, stored_as, key):
        names.append(stored_as)
        return read_into(buffer, stored_as, key)

    monkeypatch.setattr(vault, "read_into", recording)
    return names


def exported(release, to, form="precise"):
    call_command("export", release.slug, format=form, to=to, stdout=io.StringIO())
    return {str(path.relative_to(to)): path.read_bytes() for path in to.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", WITHOUT_SYNTHESIS)
def test_an_archive_holds_the_files_of_the_export(spring, tmp_path, form):
    assert files(whole(spring, form)) == exported(spring, tmp_path / "out", form)


def test_transcripts_are_in_an_archive_as_they_were_settled(sentences, share, alice, tmp_path):
    settle(share(sentences), "turn on the lights")
    said = release("said", sentences)
    found = files(whole(said, "deepspeech"))
    tables = b"".join(found[f"{split}.csv"] for split in ("train", "dev", "test"))
    assert (
        b",turn on the lights\n" in tables and b'"answer": "turn on the lights"' in found["soft-labels.jsonl"]
    )
    assert found == exported(said, tmp_path / "out", "deepspeech")


def test_the_same_release_gives_the_same_bytes_and_the_same_etag(spring):
    with opened(spring) as one, opened(spring) as two:
        assert (b"".join(one.stream()), one.etag) == (b"".join(two.stream()), two.etag)


@pytest.mark.parametrize("form", WITHOUT_SYNTHESIS)
def test_an_archive_has_the_size_that_it_announces(spring, form):
    with opened(spring, form) as one:
        assert len(b"".join(one.stream())) == one.size


@pytest.mark.thorough
@pytest.mark.parametrize("group_sounds", [1, 2, 64])
@pytest.mark.parametrize("length", [512, 4_097, 50_001])
def test_ranges_of_any_length_joined_are_the_whole(spring, length, group_sounds, monkeypatch):
    monkeypatch.setattr(archive, "GROUP_SOUNDS", group_sounds)
    expected, joined = whole(spring), b""
    for first in range(0, len(expected), length):
        with opened(spring) as one:
            joined += b"".join(one.stream(first, min(first + length, one.size) - 1))
    assert joined == expected


def test_a_range_from_any_byte_to_the_end_is_the_end_of_the_archive(spring):
    expected = whole(spring)
    for first in range(0, len(expected), 7_919):
        with opened(spring) as one:
            assert b"".join(one.stream(first)) == expected[first:]


def test_a_range_in_the_middle_reads_only_the_sounds_in_it(spring, monkeypatch):
    monkeypatch.setattr(archive, "GROUP_SOUNDS", 1)
    expected = whole(spring)
    read = files_read(monkeypatch)
    third = [at for at in range(0, len(expected), 512) if expected[at:].startswith(b"RIFF")][2]
    with opened(spring) as one:
        assert b"".join(one.stream(third, third + 99)) == expected[third : third + 100]
    row = spring.rows.order_by("split", "public_id")[2]
    assert read == [row.task.clip.stored_as]


def test_each_sound_is_read_once_for_the_whole_archive(spring, monkeypatch):
    read = files_read(monkeypatch)
    whole(spring)
    assert sorted(read) == sorted(Clip.objects.values_list("stored_as", flat=True))


@mutant(
    "the sound of a withdrawn clip is in no later archive",
    "datasets/releases/frozen.py",
    kept_by="data_key), row.may_be_sent)",
    broken="data_key), True)",
)
@pytest.mark.parametrize("end", ["consent", "hidden", "cooling off"])
def test_a_withdrawn_clip_is_silent_in_every_later_archive_until_the_feed_takes_it_out(spring, wendy, end):
    gone = [vault.get(row.task.clip)[44:] for row in spring.rows.filter(task__clip__contributor=wendy)]
    names = {row.public_id for row in spring.rows.filter(task__clip__contributor=wendy)}
    before = whole(spring)
    if end == "consent":
        consent.withdraw(wendy, NOW, purpose=Purpose.RESEARCHERS)
        consent.withdraw(wendy, NOW)
    elif end == "hidden":
        wendy.clips.update(hidden_at=NOW)
    else:
        wendy.clips.update(held_until=NOW.replace(year=9000))
    since = whole(spring)
    assert all(sound in before for sound in gone) and not any(sound in since for sound in gone)
    changed = {name for name, data in files(before).items() if data != files(since)[name]}
    assert {Path(name).stem for name in changed} == names
    for name in changed:
        heard, rate = soundfile.read(io.BytesIO(files(since)[name]), dtype="int16")
        assert (rate, set(heard)) == (16_000, {0})
    recalls.publish(NOW + timedelta(days=1))
    after = files(whole(spring))
    assert after.keys() == files(before).keys() - changed
    assert not any(name.encode() in data for name in names for data in after.values())


def opened_until_a_sound(one):
    """The stream, and what it sent up to the first sound."""
    pieces, sent = one.stream(), b""
    while b"RIFF" not in sent:
        sent += next(pieces)
    return pieces, sent


@mutant(
    "a clip withdrawn while its archive streams is not sent",
    "datasets/releases/frozen.py",
    kept_by='            {live.task_condition(audience, "task.id")}\n',
    broken="            TRUE\n",
)
@mutant(
    "a sound that was read ahead is not sent once its clip is withdrawn",
    "datasets/releases/readahead.py",
    kept_by="            if not sounds.at(place.position).may_be_sent:\n",
    broken="            if False:\n",
)
@pytest.mark.parametrize("group_sounds", [1, 64])
@pytest.mark.parametrize("end", ["consent", "erasure"])
def test_a_clip_that_is_withdrawn_during_a_download_comes_as_silence_even_if_it_was_read_ahead(
    spring, alice, monkeypatch, group_sounds, end
):
    monkeypatch.setattr(archive, "GROUP_SOUNDS", group_sounds)
    monkeypatch.setattr(readahead, "BATCH_BYTES", 1)  # one sound, header or padding for each batch
    monkeypatch.setattr(readahead, "BATCHES_AHEAD", 12)  # all other sounds are read by then
    monkeypatch.setattr(readahead, "LIVE_CHECK_SECONDS", 0)  # ask for every batch
    expected = whole(spring)
    gone = [vault.get(row.task.clip)[44:] for row in spring.rows.filter(task__clip__contributor=alice)]
    with opened(spring) as one:
        pieces, sent = opened_until_a_sound(one)
        sent_before = sum(sound in sent for sound in gone)
        if end == "consent":
            consent.withdraw(alice, NOW)
        else:
            erase(alice)
        sent += b"".join(pieces)
    assert sum(sound in sent for sound in gone) == sent_before < len(gone)
    assert len(sent) == len(expected)
    found = files(sent)
    silent = {name for name, data in files(expected).items() if found[name] != data}
    assert {Path(name).suffix for name in silent} == {".wav"} and len(silent) == len(gone) - sent_before
    assert all(set(found[name][44:]) == {0} for name in silent)


@mutant(
    "no sound is sent any more of a release that is retracted during its download",
    "datasets/releases/frozen.py",
    kept_by="                WHERE release.id = pinned.release_id AND release.retracted_at IS NULL\n",
    broken="                WHERE release.id = pinned.release_id\n",
)
def test_of_a_release_that_is_retracted_during_its_download_the_rest_is_silence(spring, rita, monkeypatch):
    monkeypatch.setattr(readahead, "BATCH_BYTES", 1)
    monkeypatch.setattr(readahead, "LIVE_CHECK_SECONDS", 0)
    expected = whole(spring)
    sounds = [vault.get(row.task.clip)[44:] for row in spring.rows.all()]
    with opened(spring) as one:
        pieces, sent = opened_until_a_sound(one)
        sent_before = sum(sound in sent for sound in sounds)
        retraction.retract(spring, "labels of two campaigns were swapped", rita, NOW)
        sent += b"".join(pieces)
    assert sum(sound in sent for sound in sounds) == sent_before < len(sounds)
    assert len(sent) == len(expected)


def erase(person):
    withdrawal.forget_contributor(person, NOW)
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)


def test_reading_ahead_stops_after_the_set_number_of_batches(spring, monkeypatch):
    monkeypatch.setattr(readahead, "BATCH_BYTES", 1)
    monkeypatch.setattr(readahead, "BATCHES_AHEAD", 3)  # padding, header and the next sound
    read = files_read(monkeypatch)
    with opened(spring) as one:
        opened_until_a_sound(one)
        one._read_ahead._pool.submit(int).result()  # waits until all that was started is read
        assert len(read) == 2


def test_a_sound_whose_size_has_changed_ends_the_stream(spring, caplog):
    clip = spring.rows.first().task.clip
    other = vault.get(clip) + b"\0\0"
    vault.destroy(clip.stored_as)
    vault.put(clip.stored_as, clip.key, other)
    with opened(spring) as one, pytest.raises(vault.WrongSize):
        list(one.stream())
    assert "broken off" in caplog.text


def test_the_checksums_are_those_of_the_files(spring):
    """The test hashes the files itself, because a digest that is stored with a sound may be wrong."""
    content = files(whole(spring))
    lines = content.pop("checksums.sha256").decode().splitlines()
    assert dict(reversed(line.split("  ")) for line in lines) == {
        name: hashlib.sha256(data).hexdigest() for name, data in content.items()
    }


def test_sounds_stored_without_a_digest_give_the_same_archive(spring, tmp_path):
    expected = whole(spring)
    for clip in Clip.objects.all():
        path = Path(storages["vault"].path(clip.stored_as))
        path.write_bytes(path.read_bytes()[: -vault.DIGEST])
        assert vault.get(clip).startswith(b"RIFF")
    assert whole(spring) == expected
    with opened(spring) as one:
        assert b"".join(one.stream(one._checksums_start)) == expected[one._checksums_start :]
    assert exported(spring, tmp_path / "out") == files(expected)


def test_a_missing_file_ends_the_stream(spring, caplog):
    with opened(spring) as one:
        vault.destroy(spring.rows.first().task.clip.stored_as)
        with pytest.raises(FileNotFoundError):
            list(one.stream())
    assert "broken off" in caplog.text


def test_an_archive_discloses_no_time_finer_than_a_quarter_and_no_owner(spring):
    with tarfile.open(fileobj=io.BytesIO(whole(spring))) as unpacked:
        disclosed = {(member.mtime, member.uid, member.uname, member.mode) for member in unpacked}
    assert disclosed == {(1_775_001_600, 0, "", 0o644)}  # 2026-04-01


@pytest.mark.parametrize(
    ("path", "size"),
    [("a.wav", 5), ("a" * 100, 0), ("d/" + "a" * 200, 5), ("qué.wav", 5), ("a.wav", 9 * 2**30)],
    ids=["short", "just fits", "long", "not ASCII", "9 GB"],
)
def test_tarfile_reads_what_a_header_says(path, size):
    head = tar.header(path, size, mtime=7)
    with tarfile.open(fileobj=io.BytesIO(head + bytes(1024))) as unpacked:
        member = unpacked.next()
    assert (member.name, member.size, member.mtime, member.isreg()) == (path, size, 7, True)


def test_an_archive_of_many_clips_takes_as_many_queries_as_one_of_few(juniper, share, spring):
    whole(spring)  # prepares the statements of this connection
    with CaptureQueriesContext(connection) as few:
        whole(spring)
    for _ in range(9):
        settle(share(juniper))
    more = release("more", juniper)
    whole(more)  # plans it
    with CaptureQueriesContext(connection) as many:
        whole(more)
    assert len(many) == len(few) > 0
    assert more.rows.count() == 14


# In Parquet a group of rows ends with its block.
@pytest.mark.parametrize("form", [name for name in WITHOUT_SYNTHESIS if not name.startswith("parquet")])
@pytest.mark.parametrize("block_rows", [1, 2])
def test_blocks_of_any_number_of_rows_give_the_same_files(spring, form, block_rows, monkeypatch):
    expected = files(whole(spring, form))
    monkeypatch.setattr(layout, "BLOCK_ROWS", block_rows)
    ArchivePlan.objects.all().delete()
    assert files(whole(spring, form)) == expected


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_rows_are_ordered_by_id_for_any_batch_size(spring, batch_size, monkeypatch):
    expected = list(frozen.rows(spring))
    monkeypatch.setattr(spans, "BATCH_SIZE", batch_size)
    assert list(frozen.rows(spring)) == expected
    assert all(one.id < other.id for one, other in pairwise(expected)) and len(expected) == 5


@pytest.mark.parametrize("by_speaker", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_formats_read_rows_in_their_order_for_any_batch_size(spring, by_speaker, batch_size, monkeypatch):
    monkeypatch.setattr(spans, "BATCH_SIZE", batch_size)
    found = list(frozen.in_format_order(spring, by_speaker))
    assert sorted(row.id for row in found) == [row.id for row in frozen.rows(spring)]
    keys = [layout.key_of(row, by_speaker) for row in found]
    assert keys == sorted(keys)


def test_an_archive_is_planned_once_for_each_feed_and_format(spring, wendy, monkeypatch):
    walks, walk = [], frozen.in_format_order

    def counting(release, by_speaker):
        walks.append(release.slug)
        return walk(release, by_speaker)

    monkeypatch.setattr(frozen, "in_format_order", counting)
    expected = whole(spring)
    assert (whole(spring), whole(spring, "deepspeech") != expected) == (expected, True)
    assert len(walks) == 2
    consent.withdraw(wendy, NOW)
    assert len(whole(spring)) == len(expected) and len(walks) == 2
    recalls.publish(NOW + timedelta(days=1))
    assert len(whole(spring)) < len(expected) and len(walks) == 3


def test_a_plan_is_ciphertext_and_made_anew_when_its_master_key_is_gone(spring):
    expected = whole(spring)
    [kept] = ArchivePlan.objects.all()
    names = [row.public_id.encode() for row in spring.rows.all()]
    assert kept.size == len(expected) and not any(name in bytes(kept.sealed) for name in names)
    kept.master = "9999"
    kept.save()
    assert whole(spring) == expected
    assert ArchivePlan.objects.get().master != "9999"


def test_a_plan_of_other_code_is_made_anew(spring, monkeypatch):
    whole(spring)
    monkeypatch.setattr(plan, "code", lambda: "another")
    whole(spring)
    assert ArchivePlan.objects.get().code == "another"


def test_a_range_at_the_end_reads_only_the_last_block(spring, monkeypatch):
    monkeypatch.setattr(layout, "BLOCK_ROWS", 1)
    expected = whole(spring)
    read = files_read(monkeypatch)
    with opened(spring) as one:
        assert b"".join(one.stream(one.size - 1)) == expected[-1:]
    assert read == []
