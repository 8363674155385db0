"""What is brought is taken once, sealed while it waits, and gone as soon as it was read."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets.clips import vault
from datasets.imports import ending, gathering, report, running, sealing
from datasets.imports.gathering import Part
from datasets.imports.refusals import ImportRefused
from datasets.models import Clip, Import, ImportFile, ImportPart, Task
from tests.conftest import NOW
from tests.support import takeout
from tests.support.mutants import mutant

from .conftest import (
    COLLECTION,
    REFERENCE,
    database_in_plain,
    named,
    run_to_the_end,
    send,
    sound,
    start,
    uploads,
)


def refused(run):
    return {each.name: each.reason for each in report.refused(run)}


def test_files_become_clips_with_their_licence_and_consent(bring, juniper, own_home):
    run = bring({f"{number}.wav": sound(number) for number in range(5)})
    assert start(run) == {"waiting": 0, "added": 5, "held": 0, "refused": 0}
    clips = list(Clip.objects.all())
    assert {clip.licence for clip in clips} == {"CC-BY-4.0"} and {clip.brought_by for clip in clips} == {run}
    assert {clip.consent.reference for clip in clips} == {REFERENCE}
    assert all(vault.get(clip).startswith(b"RIFF") for clip in clips)
    assert Task.objects.filter(campaign=juniper).count() == 5
    assert run.state == "done"


@mutant(
    "bytes, names and words of an import wait sealed",
    "datasets/imports/parts.py",
    kept_by="((name, ciphers.seal(key, content, _label(name))) for name, content in parts)",
    broken="((name, content) for name, content in parts)",
)
@mutant(
    "bytes, names and words of an import wait sealed",
    "datasets/imports/sealing.py",
    kept_by="return ciphers.seal(key, json.dumps(value).encode(), label)",
    broken="return json.dumps(value).encode()",
)
def test_nothing_waits_in_plain(bring, sentences, own_home):
    body = sound(1)
    table = "path,speaker,transcript\nSpeicherfrosch.wav,Quintilian Probe,eins Zwetschgenknödel bitte\n"
    run = bring({"Speicherfrosch.wav": body, "tabelle.csv": table.encode()}, campaign=sentences)
    running.start(run, NOW)
    stored = b"\n".join(path.read_bytes() for path in uploads(own_home))
    assert body[200:264] not in stored and b"Zwetschgen" not in stored and stored
    in_rows = "\n".join(database_in_plain())
    for word in ("Speicherfrosch", "Quintilian", "Zwetschgen", COLLECTION, REFERENCE):
        for said in (word, word.encode().hex(), word.encode("unicode_escape").hex()):
            assert said not in in_rows and said not in "".join(map(str, uploads(own_home)))


@mutant(
    "bytes that wait are deleted as soon as their clip is stored",
    "datasets/imports/running.py",
    kept_by="    _Adder(run, key, clock()).add_all(is_time_left)\n    parts.discard_read(run)",
    broken="    _Adder(run, key, clock()).add_all(is_time_left)",
)
def test_everything_is_gone_once_it_was_read(bring, own_home):
    run = bring({f"{number}.wav": sound(number) for number in range(3)} | {"broken.wav": b"no sound"})
    running.start(run, NOW)
    turns = iter([True] * 3)  # time for two files
    running.proceed(lambda: NOW, lambda: next(turns, False))
    left = ImportFile.objects.filter(state="waiting").count()
    assert 0 < left < 4 and len(uploads(own_home)) == left
    assert {bytes(file.sealed_about) for file in ImportFile.objects.exclude(state="waiting")} == {b""}
    assert run_to_the_end(run) == {"waiting": 0, "added": 3, "held": 0, "refused": 1}
    assert not uploads(own_home) and not ImportPart.objects.exists()
    assert refused(run) == {"broken.wav": refused(run)["broken.wav"]} and ImportFile.objects.count() == 1


def test_a_file_sent_twice_or_in_pieces_is_taken_once(bring):
    body = sound(1)
    run = bring({})
    [file] = gathering.name_files(run, named({"a.wav": body}), NOW)
    for offset, content in (
        (0, body[:100]),
        (0, body[:100]),
        (50, body[50:]),
        (100, body[100:]),
        (100, body[100:]),
    ):
        gathering.receive(run, [Part(file.pk, offset, content)], NOW)
    [again] = gathering.name_files(run, named({"a.wav": body}), NOW)
    assert (again.pk, again.received) == (file.pk, len(body)) and ImportPart.objects.count() == 2
    assert Import.objects.get().size == len(body)
    assert start(run)["added"] == 1


def test_a_file_is_another_one_with_another_name_or_content(bring):
    run = bring({"a.wav": sound(1), "b.wav": sound(1)})
    send(run, {"a.wav": sound(2)})
    assert run.files.count() == 3
    assert start(run) == {"waiting": 0, "added": 2, "held": 0, "refused": 1}  # a.wav was sent again
    assert list(refused(run)) == ["a.wav"]


def test_the_same_files_in_another_import_are_held_already(bring):
    files = {f"{number}.wav": sound(number) for number in range(3)}
    start(bring(files))
    assert start(bring(files | {"new.wav": sound(9)})) == {"waiting": 0, "added": 1, "held": 3, "refused": 0}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"collection": " "}, "import-without-collection"),
        ({"reference": ""}, "import-without-consent-reference"),
        ({"collection": "x" * 101}, "import-text-too-long"),
        ({"licence": "free"}, "import-unknown-licence"),
    ],
)
def test_an_import_names_collection_consent_and_licence(olga, juniper, changed, code):
    asked = {"collection": "a", "reference": "b", "licence": "CC0-1.0"} | changed
    with pytest.raises(ImportRefused) as refusal:
        gathering.make(juniper, olga, now=NOW, **asked)
    assert refusal.value.code == code and not Import.objects.exists()


@mutant(
    "an import without a consent reference is refused",
    "datasets/imports/gathering.py",
    kept_by="    if not reference or ",
    broken="    if ",
)
def test_no_clip_comes_without_a_consent_reference(olga, juniper):
    with pytest.raises(ImportRefused, match="consent-reference"):
        gathering.make(juniper, olga, "a", " ", NOW, licence="MIT")


@mutant(
    "an import without a licence is refused",
    "datasets/imports/planning.py",
    kept_by="    if not licence and not names_licence:",
    broken="    if False:",
)
def test_no_import_starts_without_a_licence(bring):
    run = bring({"a.wav": sound(1)}, licence="")
    with pytest.raises(ImportRefused, match="import-without-licence"):
        start(run)


@mutant(
    "no clip of an import comes without a licence",
    "datasets/clips/imports.py",
    kept_by="        if not licence:",
    broken="        if False:",
)
def test_no_clip_comes_without_a_licence(bring):
    table = b"path,licence\na.wav,cc-by-sa-4.0\nb.wav,\nc.wav,whatever\n"
    run = bring({"a.wav": sound(1), "b.wav": sound(2), "c.wav": sound(3), "t.csv": table}, licence="")
    assert start(run)["added"] == 1 and Clip.objects.get().licence == "CC-BY-SA-4.0"
    assert refused(run) == {
        "b.wav": "its row names no licence",
        "c.wav": "licence 'whatever' is not an SPDX identifier such as CC-BY-4.0",
    }


def test_what_cannot_be_taken_is_named(bring, monkeypatch):
    monkeypatch.setattr(gathering, "LARGEST", 100_000)
    run = bring({})
    files = {"notes.txt": b"x", "": b"y", "../out.wav": b"z", "empty.wav": b"", "large.wav": bytes(200_000)}
    states = [row.state for row in gathering.name_files(run, named(files), NOW)]
    assert states == ["refused"] * 5
    assert set(refused(run).values()) == {
        "its name is neither that of an audio file nor that of a table",
        "its name cannot be kept: it is empty, too long, or leads out of the folder",
        "the file is empty",
        "0 MB; the limit is 0 MB",
    }
    monkeypatch.setattr(gathering, "LARGEST", 64 * 2**20)


def test_what_arrives_is_what_was_sent(bring):
    run = bring({})
    body = sound(1)
    [file] = gathering.name_files(run, named({"a.wav": body}), NOW)
    gathering.receive(run, [Part(file.pk, 0, bytes(len(body)))], NOW)
    assert start(run)["refused"] == 1 and refused(run) == {
        "a.wav": "what arrived is not what was sent: send it again"
    }


def test_an_incomplete_file_holds_up_the_start_unless_it_is_left_out(bring):
    run = bring({"a.wav": sound(1)})
    [file] = gathering.name_files(run, named({"b.wav": sound(2)}), NOW)
    gathering.receive(run, [Part(file.pk, 0, sound(2)[:50])], NOW)
    with pytest.raises(ImportRefused, match="import-incomplete: number=1"):
        start(run)
    assert start(run, without_incomplete=True)["added"] == 1
    assert refused(run) == {"b.wav": "it was not sent completely"}


@pytest.mark.parametrize(
    ("part", "code"),
    [(Part(0, 0, b"x"), "import-unknown-file"), (Part(-1, 0, bytes(99_999)), "import-more-than-the-file")],
)
def test_parts_of_no_file_are_refused(bring, part, code, own_home):
    run = bring({})
    [file] = gathering.name_files(run, named({"a.wav": sound(1)}), NOW)
    part = Part(file.pk if part.file else 0, part.offset, part.content)
    with pytest.raises(ImportRefused, match=code):
        gathering.receive(run, [part], NOW)
    assert not uploads(own_home)


def test_a_part_of_another_import_is_refused(bring):
    other, run = bring({"a.wav": sound(1)}), bring({})
    with pytest.raises(ImportRefused, match="import-unknown-file"):
        gathering.receive(run, [Part(other.files.get().pk, 0, b"x")], NOW)


def test_an_import_and_the_disk_have_a_limit(bring, settings, monkeypatch):
    run = bring({})
    settings.IMPORT_GIGABYTES = 0
    with pytest.raises(ImportRefused, match="import-too-large"):
        send(run, {"a.wav": sound(1)})
    settings.IMPORT_GIGABYTES, settings.IMPORT_LEAVES_GIGABYTES = 1, 10_000_000
    with pytest.raises(ImportRefused, match="import-no-space"):
        send(run, {"a.wav": sound(1)})
    assert not ImportFile.objects.exists()


def test_after_the_start_no_file_comes_in(bring):
    run = bring({"a.wav": sound(1)})
    running.start(run, NOW)
    for act in (lambda: send(run, {"b.wav": sound(2)}), lambda: start(run)):
        with pytest.raises(ImportRefused, match="import-"):
            act()


def test_many_files_need_few_statements(bring):
    run = bring({})
    few = {f"few/{number}.wav": bytes([number % 250]) * 9 for number in range(10)}
    many = {f"many/{number}.wav": bytes([number % 250]) * 9 for number in range(1_000)}

    def statements(files):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            send(run, files)
        return len(captured)

    assert statements(many) <= statements(few) + 10


def test_a_key_is_worth_nothing_without_its_owner(bring, olga):
    run = bring({"a.wav": sound(1)})
    ending.forget(olga, NOW)
    run.refresh_from_db()
    assert (run.state, run.owner, bytes(run.wrapped_key), bytes(run.sealed_about)) == (
        "cancelled",
        None,
        b"",
        b"",
    )
    with pytest.raises(ImportRefused, match="key-gone"):
        sealing.key_of(run)


def test_what_an_owner_brought_is_in_their_download(bring, olga):
    run = bring({"a.wav": sound(1)})
    [told] = takeout.file_of(olga, "imports.json")
    assert (told["collection"], told["reference"], told["campaign"]) == (COLLECTION, REFERENCE, "juniper")
    assert (told["state"], told["licence"]) == ("gathering", "CC-BY-4.0")
    Import.objects.filter(pk=run.pk).update(wrapped_key=b"")
    [told] = takeout.file_of(olga, "imports.json")
    assert told["collection"] is None and told["campaign"] == "juniper"
