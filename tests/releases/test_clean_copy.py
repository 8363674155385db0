"""A researcher's copy of a release, cleaned by the program that this site offers for download."""

import base64
import csv
import hashlib
import json
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import soundfile
from django.core.management import call_command
from django.test import Client

from accounts import consent, signing
from accounts.models import Material, Purpose, User
from datasets.models import Annotation, Task, Withdrawal
from datasets.releases import freezing, recalls
from static.downloads import clean_copy
from tagger.lending import assignments
from tagger.privacy import withdrawal
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.copies import contents, whole
from tests.support.mutants import mutant
from tests.support.released import clear
from tests.support.reviewing import dismiss
from tests.support.site import ROOT

pytestmark = pytest.mark.thorough  # each test has a release of its own

PROGRAM = ROOT / "static/downloads/clean_copy.py"

# RFC 8032, section 7.1: public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


# Of those whose clips are files, and whose lines are about one clip each.
FORMATS = ("deepspeech", "precise", "common-voice")


@pytest.fixture
def wendy(db):
    person = User.objects.create_user("wendy")
    for material in Material:
        consent.give(person, material, material.purposes, NOW, reference="on paper")
    return person


@pytest.fixture
def copies(juniper, sentences, share, volunteers, alice, wendy, tmp_path):
    """The release spring in each format, as a researcher downloaded it before Alice left."""
    for campaign, answers in ((juniper, ("yes", "no")), (sentences, ('he said "stop", then', "left"))):
        for answer in answers:
            for contributor in (alice, wendy):
                settle(share(campaign, contributor), volunteers, answer)
    release = freezing.freeze("spring", [juniper, sentences], NOW).release
    for form in FORMATS:
        call_command("export", "spring", format=form, to=tmp_path / form, stdout=StringIO())
    return {form: tmp_path / form for form in FORMATS} | {"release": release}


def settle(task, people, answer):
    for person in people[:2]:
        Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=NOW)
    Task.objects.filter(pk=task.pk).update(annotation_count=2)
    settlement.settle(task.pk, NOW)


@pytest.fixture
def left(copies, alice, tmp_path):
    """Alice has left and the next day's feed is out: its file, and the ids of her clips."""
    rows = copies["release"].rows.filter(task__clip__contributor=alice)
    ids = set(rows.values_list("public_id", flat=True))
    assert len(ids) == 4
    withdrawal.forget_contributor(alice, NOW)
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)
    recalls.publish(NOW + timedelta(days=1))
    return feed_file(tmp_path, Client().get("/api/v1/recalls/spring.json").content), ids


def feed_file(folder, data):
    path = folder / "feed.json"
    path.write_bytes(data)
    return path


def run(folder, feed, *options):
    """Run it as on another computer: Python only, without this project's packages or settings."""
    if "--key" not in options:
        options += ("--key", signing.public_key()["public_key"])
    command = [sys.executable, "-I", "-S", PROGRAM, folder, "--feed", feed, *options]
    return subprocess.run(command, capture_output=True, text=True, env={}, cwd="/")


def records(folder):
    """DeepSpeech's rows as its importer reads them, after checking the sound of each."""
    for table in sorted(folder.rglob("*.csv")):
        with table.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                sound, rate = soundfile.read(table.parent / row["wav_filename"], dtype="int16")
                assert rate == 16_000 and len(sound) > 0
                assert (table.parent / row["wav_filename"]).stat().st_size == int(row["wav_filesize"])
                yield row


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_signatures_are_checked_as_the_rfc_says(key, message, signature):
    key, message, signature = map(bytes.fromhex, (key, message, signature))
    assert clean_copy.is_signed(key, message, signature)
    for position in range(0, 64, 7):
        other = bytearray(signature)
        other[position] ^= 1
        assert not accepts(key, message, bytes(other))
    assert not accepts(key, message + b"x", signature)


def accepts(key, message, signature):
    try:
        return clean_copy.is_signed(key, message, signature)
    except ValueError:
        return False


def test_it_accepts_every_signature_of_the_site(db):
    for number in range(20):
        signed = signing.sign({"number": number, "words": "ñ “é”"})
        message = signing.canonical_json({name: signed[name] for name in ("number", "words", "key")})
        key = base64.b64decode(signing.public_key()["public_key"])
        assert clean_copy.is_signed(key, message, base64.b64decode(signed["signature"]))


def test_a_signature_has_only_one_encoding():
    """RFC 8032, section 5.1.7: S is less than the group's order, because S plus the order verifies too."""
    key, message, signature = map(bytes.fromhex, RFC_8032[1])
    larger = int.from_bytes(signature[32:], "little") + clean_copy.Q
    assert not clean_copy.is_signed(key, message, signature[:32] + larger.to_bytes(32, "little"))
    assert not clean_copy.is_signed(key, message, signature + b"\0")
    assert not clean_copy.is_signed(key, message, b"")


def test_the_program_is_short_and_needs_only_python():
    text = PROGRAM.read_text()
    assert len(text.splitlines()) < 380  # someone can still read it before running it: it knows 14 formats
    imported = {
        line.split()[1].split(".")[0]
        for line in text.splitlines()
        if line.lstrip().startswith(("import ", "from "))
    }
    # Only to rewrite Parquet files; without it the program says what to install.
    assert imported - sys.stdlib_module_names == {"pyarrow"}


@mutant(
    "no row about a withdrawn clip stays in a cleaned copy",
    "static/downloads/clean_copy.py",
    kept_by='            yield line, b"" if is_gone(gone, line) else line\n',
    broken="            yield line, line\n",
)
def test_a_cleaned_deepspeech_copy_is_readable_without_the_withdrawn_clips(copies, left):
    feed, gone = left
    folder = copies["deepspeech"]
    before = list(records(folder))
    done = run(folder, feed)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "4 clips withdrawn by 2026-05-05" in done.stdout
    files = whole(folder)
    assert not any(each in name or each.encode() in data for each in gone for name, data in files.items())
    stayed = [row for row in before if not any(each in row["wav_filename"] for each in gone)]
    assert list(records(folder)) == stayed and len(stayed) == 3 and len(before) == 6
    assert len(files["soft-labels.jsonl"].splitlines()) == 3


def test_a_cleaned_precise_copy_is_readable_without_the_withdrawn_clips(copies, left):
    feed, gone = left
    folder = copies["precise"]
    before = contents(folder)
    done = run(folder, feed)
    assert (done.returncode, done.stderr) == (0, ""), done
    files = whole(folder)
    wavs = {name for name in before if name.endswith(".wav")}
    stayed = {name for name in wavs if not any(each in name for each in gone)}
    assert {name for name in files if name.endswith(".wav")} == stayed
    assert (len(wavs), len(stayed)) == (4, 2)
    for name in stayed:
        assert soundfile.info(folder / name).samplerate == 16_000
        assert files[name] == before[name]
    labels = [json.loads(line)["id"] for line in files["soft-labels.jsonl"].decode().splitlines()]
    assert sorted(labels) == sorted(Path(name).stem for name in stayed)


@pytest.fixture(params=[Purpose.RESEARCHERS, Purpose.PUBLIC])
def silenced(request, copies, alice, juniper, sentences, tmp_path):
    """The release open, downloaded in each format between the time Alice left and the next feed."""
    clear(juniper, sentences)
    release = freezing.freeze("open", [juniper, sentences], NOW, audience=request.param).release
    ids = set(release.rows.filter(task__clip__contributor=alice).values_list("public_id", flat=True))
    recalls.publish(NOW + timedelta(days=1))
    feed = feed_file(tmp_path, Client().get("/api/v1/recalls/open.json").content)
    withdrawal.forget_contributor(alice, NOW)
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)
    for form in FORMATS:
        call_command("export", "open", format=form, to=tmp_path / f"open-{form}", stdout=StringIO())
    return {form: tmp_path / f"open-{form}" for form in FORMATS}, feed, ids


@pytest.fixture
def alice(alice):
    """She agrees to public releases as well."""
    for material in ("wake-word", "utterance"):
        consent.give(alice, material, [Purpose.PUBLIC], NOW, reference="on paper")
    return alice


@mutant(
    "clips that came as silence are taken out of a copy",
    "static/downloads/clean_copy.py",
    kept_by="        gone = gone | since\n",
    broken="        pass\n",
)
@pytest.mark.parametrize("form", FORMATS)
def test_clips_that_came_as_silence_are_taken_out_at_once(silenced, form):
    folders, feed, ids = silenced
    before = contents(folders[form])
    silent = {name for name, data in before.items() if name.endswith(".wav") and not any(data[44:-38])}
    assert {Path(name).stem for name in silent} <= ids and silent
    done = run(folders[form], feed)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(silent)} more were withdrawn or reported since" in done.stdout
    assert has(folders[form], ids) == 0
    assert whole(folders[form]).keys() == before.keys() - silent - {"checksums.sha256"}
    assert run(folders[form], feed).returncode == 0


def test_a_clip_of_silence_that_was_published_as_it_is_stays(copies, left):
    feed, gone = left
    folder = copies["precise"]
    path = next(path for path in sorted(folder.rglob("*.wav")) if path.stem not in gone)
    data = path.read_bytes()
    path.write_bytes(data[:44] + bytes(len(data) - 44))
    sums = folder / "checksums.sha256"
    digests = [hashlib.sha256(each).hexdigest() for each in (data, path.read_bytes())]
    sums.write_text(sums.read_text().replace(*digests))
    done = run(folder, feed)
    assert (done.returncode, done.stderr) == (0, "")
    assert path.exists() and "silence" not in done.stdout


@pytest.mark.parametrize("at", ["open", "replace", "unlink"])
def test_killed_at_any_step_the_next_run_takes_out_what_came_as_silence(silenced, at):
    folders, feed, ids = silenced
    for form, folder in folders.items():
        dies = 1
        while dying(folder, feed, at, dies).returncode == 9:
            dies += 1
        assert dies > 1, form
        assert has(folder, ids) == 0, form
        assert run(folder, feed).returncode == 0


@pytest.fixture
def reported(copies, wendy, rita, bea, tmp_path):
    """Wendy's clips were reported, and the reports dismissed a day later: the ids, and the three feeds."""
    release, day = copies["release"], timedelta(days=1)
    feeds = {}

    def publish(name, now):
        recalls.publish(now)
        folder = tmp_path / name
        folder.mkdir()
        feeds[name] = feed_file(folder, Client().get("/api/v1/recalls/spring.json").content)

    publish("empty", NOW + day)
    tasks = list(Task.objects.filter(clip__contributor=wendy))
    for task in tasks:
        assignments.report_example(bea, task, "private", NOW + day)
    publish("recalled", NOW + 2 * day)
    for task in tasks:
        dismiss(task.clip, rita, NOW + 2 * day)
    publish("returned", NOW + 3 * day)
    rows = release.rows.filter(task__clip__contributor=wendy)
    return set(rows.values_list("public_id", flat=True)), feeds


def has(folder, ids):
    """How many of these ids the files and the rows of a complete copy name."""
    everything = b"".join(name.encode() + data for name, data in whole(folder).items())
    return sum(each.encode() in everything for each in ids)


@pytest.mark.parametrize("form", FORMATS)
def test_a_copy_that_was_not_cleaned_keeps_what_is_good_again(copies, reported, form):
    ids, feeds = reported
    before, kept = contents(copies[form]), has(copies[form], ids)
    done = run(copies[form], feeds["returned"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 clips withdrawn by 2026-05-07" in done.stdout and "4 are good again" in done.stdout
    after = contents(copies[form])
    assert {name for name in before if before[name] != after.get(name)} == {"LICENSE.txt", "checksums.sha256"}
    assert has(copies[form], ids) == kept > 0


@mutant(
    "a copy that follows a newer feed is not cleaned by an older one",
    "static/downloads/clean_copy.py",
    kept_by='    if day < max(AS_OF.findall(licence), default=b""):\n',
    broken="    if False:\n",
)
@pytest.mark.parametrize("form", FORMATS)
def test_an_older_feed_does_not_remove_what_is_good_again(copies, reported, form):
    ids, feeds = reported
    kept = has(copies[form], ids)
    assert run(copies[form], feeds["returned"]).returncode == 0
    before = contents(copies[form])
    done = run(copies[form], feeds["recalled"])
    assert done.returncode == 1
    assert "is of 2026-05-06, older than the feed that this copy follows" in done.stderr
    assert contents(copies[form]) == before and has(copies[form], ids) == kept > 0


@pytest.mark.parametrize("form", FORMATS)
def test_a_cleaned_copy_stays_complete_when_its_clips_are_good_again_and_a_new_download_has_them(
    copies, reported, form, tmp_path
):
    ids, feeds = reported
    for name in ("empty", "recalled", "recalled", "returned"):
        done = run(copies[form], feeds[name])
        assert (done.returncode, done.stderr) == (0, "")
        assert (has(copies[form], ids) == 0) == (name != "empty")
    assert "download the release again" in done.stdout
    again = tmp_path / "again"
    call_command("export", "spring", format=form, to=again, stdout=StringIO())
    assert has(again, ids) > 0
    # It names the feed that it follows, so an older one is refused at once.
    assert run(again, feeds["recalled"]).returncode == 1
    assert run(again, feeds["returned"]).returncode == 0
    assert has(again, ids) > 0


def test_a_feed_from_before_clips_could_be_good_again_is_understood(copies, left):
    feed, gone = left
    content = json.loads(feed.read_text())
    for name in ("signature", "key", "returned"):
        del content[name]
    feed.write_text(json.dumps(signing.sign(content | {"schema": "tagger recall feed 1"})))
    assert run(copies["deepspeech"], feed).returncode == 0
    assert not any(each.encode() in data for each in gone for data in whole(copies["deepspeech"]).values())


@pytest.mark.parametrize("form", FORMATS)
def test_running_it_twice_changes_nothing_more(copies, left, form):
    run(copies[form], left[0])
    before = contents(copies[form])
    assert run(copies[form], left[0]).returncode == 0
    assert contents(copies[form]) == before


def test_a_copy_without_recalls_stays_as_it_is(copies, tmp_path):
    before = contents(copies["deepspeech"])
    feed = feed_file(tmp_path, Client().get("/api/v1/recalls/spring.json").content)
    assert run(copies["deepspeech"], feed).returncode == 0
    assert contents(copies["deepspeech"]) == before


def test_missing_changed_and_extra_files_are_named(copies, left):
    feed, gone = left
    folder = copies["deepspeech"]
    stays = [path for path in sorted(folder.rglob("clips/*.wav")) if path.stem not in gone]
    stays[0].unlink()
    stays[1].write_bytes(stays[1].read_bytes()[:-1] + b"x")
    (folder / "mine.txt").write_text("mine")
    done = run(folder, feed)
    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()) == [
        f"changed: {stays[1].relative_to(folder)}",
        "extra: mine.txt",
        f"missing: {stays[0].relative_to(folder)}",
    ]
    assert not any(each in name for each in gone for name in contents(folder))
    assert run(folder, feed).returncode == 1


def test_a_recalled_row_is_removed_from_a_changed_table_and_the_change_is_reported(copies, left):
    feed, gone = left
    tables = sorted(copies["deepspeech"].rglob("*.csv"))
    table = next(path for path in tables if any(each in path.read_text() for each in gone))
    table.write_text(table.read_text() + "clips/mine.wav,44,mine\n")
    done = run(copies["deepspeech"], feed)
    assert (done.returncode, done.stderr) == (1, f"changed: {table.relative_to(copies['deepspeech'])}\n")
    assert "mine" in table.read_text() and not any(each in table.read_text() for each in gone)
    assert run(copies["deepspeech"], feed).returncode == 1


def refused(copies, feed, *options):
    before = contents(copies["deepspeech"])
    done = run(copies["deepspeech"], feed, *options)
    assert done.returncode == 1 and done.stderr.startswith("not cleaned: "), done
    assert contents(copies["deepspeech"]) == before
    return done.stderr


@mutant(
    "a copy is not cleaned by a feed that its site did not sign",
    "static/downloads/clean_copy.py",
    kept_by=" and is_signed(key, text, signature)",
    broken="",
)
def test_a_feed_with_a_wrong_signature_changes_nothing(copies, left):
    feed, _gone = left
    content = json.loads(feed.read_text())
    for change in ({"recalled": []}, {"published_at": "2026-05-06"}, {"signature": "A" * 86 + "=="}):
        feed.write_text(json.dumps(content | change))
        refused(copies, feed)


def test_a_feed_without_signature_changes_nothing(copies, left):
    feed, _gone = left
    content = json.loads(feed.read_text())
    del content["signature"]
    feed.write_text(json.dumps(content))
    refused(copies, feed)


def test_a_feed_signed_by_another_key_changes_nothing(copies, left):
    other = base64.b64encode(bytes.fromhex(RFC_8032[0][0])).decode()
    refused(copies, left[0], "--key", other)


@mutant(
    "a copy is not cleaned by the feed of another release",
    "static/downloads/clean_copy.py",
    kept_by='doc["release"] == release and ',
    broken="",
)
def test_the_feed_of_another_release_changes_nothing(copies, left):
    feed, _gone = left
    content = json.loads(feed.read_text())
    del content["signature"], content["key"]
    feed.write_text(json.dumps(signing.sign(content | {"release": "summer"})))
    assert "is not the recall feed of spring" in refused(copies, feed)


def test_a_missing_feed_changes_nothing(copies, left, tmp_path):
    refused(copies, tmp_path / "nowhere.json")
    refused(copies, "http://127.0.0.1:9/feed.json")


@pytest.mark.parametrize("at", ["open", "replace", "unlink"])
def test_killed_at_any_step_it_leaves_no_half_file_and_the_next_run_finishes(copies, left, at):
    """It is killed at each write, each rename and each removal in turn."""
    feed, gone = left
    folder = copies["deepspeech"]
    before, dies = contents(folder), 0
    cleaned_licence = before["LICENSE.txt"] + b"As of the feed of 2026-05-05\n"
    while True:
        dies += 1
        done = dying(folder, feed, at, dies)
        files = {name: data for name, data in contents(folder).items() if not name.endswith(".cleaning")}
        for name, data in files.items():
            assert (
                data in (before[name], clean_lines(before[name], gone), cleaned_licence)
                or name == "checksums.sha256"
            )
        if done.returncode == 0:
            break
        assert done.returncode == 9
    assert dies > 1
    whole(folder)
    assert not any(each.encode() in data for each in gone for data in contents(folder).values())


def clean_lines(data, gone):
    return b"".join(line for line in data.splitlines(True) if not any(each.encode() in line for each in gone))


def dying(folder, feed, at, after):
    words = [str(PROGRAM), str(folder), "--feed", str(feed), "--key", signing.public_key()["public_key"]]
    code = f"""
import os, pathlib, runpy, sys
kept, left = pathlib.Path.{at}, [{after}]
def counted(*args, **kwargs):
    left[0] -= {at!r} != "open" or args[1:] == ("wb",)
    if not left[0]:
        os._exit(9)
    return kept(*args, **kwargs)
pathlib.Path.{at} = counted
sys.argv = {words!r}
try:
    runpy.run_path({str(PROGRAM)!r}, run_name="__main__")
except SystemExit as end:
    sys.exit(1 if end.code else 0)
"""
    return subprocess.run([sys.executable, "-I", "-S", "-c", code], env={})


def test_it_fetches_feed_and_key_from_the_site(copies, left, live_server):
    """From the address in the copy's licence."""
    folder = copies["precise"]
    licence = folder / "LICENSE.txt"
    changed = licence.read_bytes().replace(b"http://localhost:8000", live_server.url.encode())
    sums = folder / "checksums.sha256"
    sums.write_text(
        sums.read_text().replace(
            hashlib.sha256(licence.read_bytes()).hexdigest(), hashlib.sha256(changed).hexdigest()
        )
    )
    licence.write_bytes(changed)
    done = subprocess.run(
        [sys.executable, "-I", "-S", PROGRAM, folder], capture_output=True, text=True, env={}, cwd="/"
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    whole(folder)
