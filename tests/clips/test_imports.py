"""Folders and manifests are imported completely, even if a run is killed or repeated."""

import csv
import os
import subprocess
import sys
from io import StringIO
from itertools import count
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import CaptureQueriesContext

from accounts import consent, contributors
from accounts.models import Consent, Purpose, User
from datasets.clips import fingerprints, imports, intake, vault
from datasets.models import Clip, Task
from tests.conftest import NOW, row_of_a_clip
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.site import ROOT, eventually
from tests.support.stored import files

REFERENCE = "on paper, in the safe"
LICENCE = "CC-BY-4.0"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def record(source):
    """Writes a short recording, of a different pitch for each number, and returns its name."""

    def one(number, name="", kind="wav"):
        name = name or f"clip {number}.{kind}"
        path = source / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(sounds.in_format(kind, sounds.tone(0.4, hertz=500 + 50 * number)))
        return name

    return one


@pytest.fixture
def manifest(source):
    """Writes a manifest of these rows, and returns its path."""

    def written(*rows):
        with open(source / "manifest.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
            writer.writeheader()
            writer.writerows(rows)
        return source / "manifest.csv"

    return written


def run_import(path, campaign="juniper", contributor="people", reference=REFERENCE, licence=LICENCE):
    output = StringIO()
    call_command(
        "import_clips",
        path,
        campaign=campaign,
        contributor=contributor,
        consent_reference=reference,
        licence=licence,
        stdout=output,
    )
    return output.getvalue()


def refusals(output):
    """{file: reason} for each refused file in the command's output."""
    lines = [line.removeprefix("refused: ") for line in output.splitlines() if line.startswith("refused: ")]
    return dict(line.rsplit(": ", 1) for line in lines)


def files_in_the_vault(home):
    return {str(path.relative_to(home / "vault")) for path in files(home)}


def database_in_plain():
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            yield from (row[0] for row in cursor.fetchall())


def test_a_folder_is_imported_with_its_subfolders(juniper, source, record):
    for number, name in enumerate(("b.wav", "a.wav", "deeper/c.wav")):
        record(number, name)
    assert run_import(source) == "juniper: 3 added, 0 held already, 0 refused.\n"
    assert Task.objects.filter(campaign=juniper, clip__source="import", clip__language="en").count() == 3


def test_an_imported_clip_can_be_heard(juniper, source, record):
    record(1)
    run_import(source)
    assert vault.get(Clip.objects.get())[:4] == b"RIFF"


def test_a_folder_is_imported_in_the_order_of_its_names(juniper, source, record):
    for number, name in ((1, "b.wav"), (2, "a.wav"), (3, "c/a.wav")):
        record(number, name)
    assert [item.name for item in imports.items(source)] == ["a.wav", "b.wav", "c/a.wav"]


@pytest.mark.parametrize("kind", sounds.FORMATS)
def test_every_format_is_imported(juniper, source, record, kind):
    record(1, kind=kind)
    assert "1 added" in run_import(source)


def test_other_files_are_skipped_and_counted(juniper, source, record):
    record(1)
    (source / "README.md").write_text("hello")
    (source / "._clip 1.wav").write_text("what a Mac leaves behind")
    assert run_import(source).splitlines() == [
        "Skipped 2 files whose names are not those of audio files.",
        "juniper: 1 added, 0 held already, 0 refused.",
    ]


def test_a_refused_file_is_reported_with_its_reason_and_stops_no_other(juniper, source, record):
    record(1, "z.wav")
    (source / "a.wav").write_text("no sound")
    (source / "empty.flac").touch()
    (source / "short.wav").write_bytes(sounds.in_format("wav", sounds.tone(0.1)))
    output = run_import(source)
    assert output.endswith("juniper: 1 added, 0 held already, 3 refused.\n")
    assert refusals(output).keys() == {"a.wav", "empty.flac", "short.wav"}
    assert "refused: short.wav: only 0.10 s of sound; at least 0.3 s are needed\n" in output


def test_a_file_too_large_to_read_is_not_read(juniper, source):
    with open(source / "large.wav", "wb") as file:
        file.truncate(imports.LARGEST + 1)
    assert refusals(run_import(source)) == {"large.wav": "64 MB; the limit is 64 MB"}


def test_a_name_that_cannot_be_printed_does_not_stop_the_run(juniper, source, record):
    record(1, "z.wav")
    Path(os.fsdecode(os.fsencode(source) + b"/caf\xe9.wav")).write_text("no sound")
    output = run_import(source)
    assert output.encode().startswith(b"refused: caf?.wav: ") and "1 added" in output


def test_a_second_run_adds_nothing(juniper, source, record):
    for number in range(3):
        record(number)
    run_import(source)
    before = Clip.objects.count(), Task.objects.count(), Consent.objects.count(), User.objects.count()
    assert run_import(source) == "juniper: 0 added, 3 held already, 0 refused.\n"
    assert before == (
        Clip.objects.count(),
        Task.objects.count(),
        Consent.objects.count(),
        User.objects.count(),
    )


def test_a_second_run_adds_what_is_missing(juniper, source, record):
    record(1)
    run_import(source)
    record(2)
    assert "1 added, 1 held already" in run_import(source)


def test_one_sound_in_two_files_is_stored_once(juniper, source, record):
    record(1, "one.wav")
    record(1, "two.flac", kind="flac")
    assert "1 added, 1 held already" in run_import(source)


def test_a_repeated_row_is_stored_once(juniper, record, manifest):
    row = {"path": record(1), "speaker": "ann"}
    assert "1 added, 1 held already" in run_import(manifest(row, row))


def test_the_same_recording_of_another_contributor_is_refused(juniper, source, record):
    record(1)
    run_import(source)
    output = run_import(source, contributor="others")
    assert refusals(output) == {"clip 1.wav": "the same recording is already stored from another contributor"}


def test_a_second_campaign_asks_about_existing_clips(juniper, sentences, source, record):
    record(1)
    run_import(source)
    assert "1 added" in run_import(source, "sentences")
    assert (Clip.objects.count(), Task.objects.count()) == (1, 2)


def test_a_manifest_gives_the_language_and_answer_of_each_clip(juniper, record, manifest):
    rows = [
        {"path": record(1), "language": "de", "speaker": "ann", "truth": "wake-word"},
        {"path": record(2), "language": "", "speaker": "ben", "truth": "similar"},
    ]
    run_import(manifest(*rows))
    known = Task.objects.order_by("id").values_list("clip__language", "plain_reference")
    assert list(known) == [("de", "wake-word"), ("en", "similar")]


def test_a_manifest_may_have_a_byte_order_mark_other_columns_and_any_order(juniper, source, record):
    path = source / "manifest.CSV"
    path.write_text(f"\ufefftruth,note,path\r\nno,whatever,{record(1)}\r\n")
    assert "1 added" in run_import(path)
    assert Task.objects.get().reference == "no"


def test_cells_in_quotes_hold_commas_quotes_and_lines(sentences, source, record):
    path = source / "manifest.csv"
    path.write_text(f'path,transcript\n"{record(1)}","Well, ""yes""\nshe said"\n')
    run_import(path, "sentences")
    assert Task.objects.get().reference == 'Well, "yes"\nshe said'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "line 1: no column named path (found: nothing)"),
        (b"file,speaker\na.wav,ann\n", "line 1: no column named path (found: file, speaker)"),
        (b"path,path\na.wav,b.wav\n", "line 1: the column path appears twice"),
        (b"path,speaker\na.wav,ann\nb.wav,J\xfcrgen\n", "line 3: not UTF-8"),
        (b"path,speaker\n" + b"a.wav,ann\n" * 5_000 + b"b.wav,J\xfcrgen\n", "line 5002: not UTF-8"),
        (b'path,speaker\na.wav,"ann\n', "line 2: unexpected end of data"),
        (b'path,speaker\na.wav,ann\nb.wav,"ann\n' + b"c.wav,\n" * 50, "line 3: unexpected end of data"),
        (b"path,transcript\na.wav,one\n\nb.wav,well, yes\n", "line 4: more cells than columns"),
    ],
    ids=["empty", "no path", "twice", "not UTF-8", "not UTF-8 late", "open quote", "open long", "bare comma"],
)
def test_a_broken_manifest_is_refused_with_its_line_and_nothing_is_stored(
    juniper, source, record, content, says
):
    record(1, "a.wav")
    (source / "manifest.csv").write_bytes(content)
    with pytest.raises(CommandError) as refused:
        run_import(source / "manifest.csv")
    assert str(refused.value).startswith(f"{source}/manifest.csv, {says}")
    assert (Clip.objects.count(), User.objects.count()) == (0, 0)


def test_empty_lines_are_not_rows_but_count_as_lines(juniper, source, record):
    (source / "manifest.csv").write_text(f"path\n\n{record(1)}\n\n\nmissing.wav\n")
    assert refusals(run_import(source / "manifest.csv")) == {"line 6: missing.wav": "there is no such file"}


def test_a_row_without_a_readable_file_is_reported_by_its_line(juniper, source, record, manifest):
    (source / "folder.wav").mkdir()
    paths = ["missing.wav", "", "folder.wav", "a" * 300, "zero\0.wav", record(1)]
    output = run_import(manifest(*[{"path": path, "truth": "yes"} for path in paths]))
    reasons = refusals(output)
    assert reasons["line 2: missing.wav"] == "there is no such file"
    assert reasons["line 3: (no path)"] == reasons["line 4: folder.wav"] == "this is not a file"
    assert output.endswith("juniper: 1 added, 0 held already, 5 refused.\n")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"truth": "perhaps"}, "truth is 'perhaps'; it must be wake-word, not-wake-word or an answer"),
        ({"language": "English"}, "language 'English' is not a code such as en or pt-BR"),
        ({"language": "en" + "-abcdefgh" * 4}, "is not a code such as en or pt-BR"),
        ({"speaker": "an\0n"}, "its row holds a zero character"),
    ],
)
def test_a_row_with_an_impossible_value_is_refused(juniper, record, manifest, values, reason):
    [(_, why)] = refusals(run_import(manifest({"path": record(1)} | values))).items()
    assert why.endswith(reason)
    assert (Clip.objects.count(), User.objects.count()) == (0, 0)


def test_a_transcript_with_a_zero_character_is_refused(sentences, record, manifest):
    output = run_import(manifest({"path": record(1), "transcript": "hel\0lo"}), "sentences")
    assert "1 refused" in output


def test_a_transcription_campaign_accepts_only_its_own_language(sentences, record, manifest):
    rows = [{"path": record(n), "language": code} for n, code in enumerate(("en", "en-GB", "es", ""))]
    output = run_import(manifest(*rows), "sentences")
    assert refusals(output) == {"line 4: clip 2.wav": "its language is es, the campaign's is en"}
    assert "3 added" in output


def test_a_clip_of_another_wake_word_is_not_the_campaigns_wake_word(juniper, record, manifest):
    rows = [
        {"path": record(1), "wake_word": "Hey, Juniper!", "truth": "wake-word"},
        {"path": record(2), "wake_word": "computer", "truth": "wake-word"},
        {"path": record(3), "wake_word": "computer", "truth": "yes"},
        {"path": record(4), "wake_word": "computer", "truth": "not-wake-word"},
        {"path": record(5), "wake_word": "computer", "truth": ""},
    ]
    run_import(manifest(*rows))
    truths = list(Task.objects.order_by("id").values_list("plain_reference", flat=True))
    assert truths == ["wake-word", "not-wake-word", "not-wake-word", "not-wake-word", ""]


def test_a_collection_has_one_contributor_who_cannot_log_in(juniper, source, record):
    record(1)
    record(2)
    run_import(source)
    [person] = User.objects.all()
    assert person.pseudonym == "import:people"
    assert not person.is_active and not person.has_usable_password()
    assert person.roles == ["contributor"]


def test_a_clip_rests_on_the_consent_with_the_given_reference(juniper, source, record):
    record(1)
    run_import(source)
    allowed_by = Clip.objects.get().consent
    assert (allowed_by.reference, allowed_by.material, allowed_by.purpose) == (
        REFERENCE,
        "wake-word",
        Purpose.VOLUNTEERS,
    )


def test_a_clip_rests_on_the_consent_of_its_run_even_if_there_is_a_newer_one(juniper, source, record):
    for number, reference in enumerate((REFERENCE, "by telephone", REFERENCE)):
        record(number)
        run_import(source, reference=reference)
    resting_on = [clip.consent.reference for clip in Clip.objects.order_by("id")]
    assert resting_on == [REFERENCE, "by telephone", REFERENCE]


def test_each_speaker_is_a_separate_contributor_in_later_runs_too(juniper, record, manifest):
    first = [{"path": record(n), "speaker": name} for n, name in enumerate(("ann", "ben", "ann", ""))]
    run_import(manifest(*first))
    more = {"path": record(9), "speaker": "ben"}
    run_import(manifest(more))
    assert sorted(person.clips.count() for person in User.objects.all()) == [1, 2, 2]


def test_the_same_name_in_another_collection_is_another_contributor(juniper, record, manifest):
    run_import(manifest({"path": record(1), "speaker": "ann"}))
    run_import(manifest({"path": record(2), "speaker": "ann"}), contributor="others")
    assert [person.clips.count() for person in User.objects.all()] == [1, 1]


@mutant(
    "the reference of a consent is stored in no plain column",
    "accounts/consent.py",
    kept_by="    return ciphers.seal(keys.data_key(contributor), reference.encode(), label)\n",
    broken="    return reference.encode()\n",
)
def test_a_speakers_name_is_stored_nowhere_in_plain(juniper, source, record, manifest):
    name = "Wilhelmina Featherstonehaugh"
    run_import(manifest({"path": record(1, f"{name}.wav"), "speaker": name}))
    stored = "\n".join(database_in_plain())
    assert "volunteers" in stored  # proves that the stored text was searched
    for secret in (name, REFERENCE):
        assert secret not in stored and secret.encode().hex() not in stored


def test_a_speaker_who_withdrew_is_not_imported_again(juniper, record, manifest):
    rows = [{"path": record(n), "speaker": name} for n, name in enumerate(("ann", "ben"))]
    run_import(manifest(*rows))
    ann = contributors.find_or_create("people", "ann")
    consent.withdraw(ann, NOW)
    output = run_import(manifest(*rows, {"path": record(5), "speaker": "ann"}))
    assert list(refusals(output)) == ["line 2: clip 0.wav", "line 4: clip 5.wav"]
    assert "1 held already" in output
    assert ann.clips.count() == 1
    assert not consent.allows(ann, "wake-word", Purpose.VOLUNTEERS)


def test_nothing_of_a_speaker_is_stored_after_they_withdrew_during_a_run(juniper, source, record):
    run = imports.ImportRun(juniper, "people", REFERENCE, NOW, licence=LICENCE)
    [(_, outcome)] = run.store_all([imports.ImportItem("one", source / record(1))])
    assert outcome == imports.ImportOutcome.ADDED
    consent.withdraw(contributors.find_or_create("people"), NOW)
    [(_, outcome)] = run.store_all([imports.ImportItem("two", source / record(2))])
    assert isinstance(outcome, consent.NoConsent)


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_in_progress_when_a_run_begins_is_respected(
    juniper, source, record, in_background, lock_is_awaited
):
    record(1)
    run_import(source)
    record(2)
    person = contributors.find_or_create("people")
    with transaction.atomic():
        consent.withdraw(person, NOW)
        run = in_background(lambda: run_import(source))
        assert eventually(lock_is_awaited)
    assert "0 added, 0 held already, 2 refused" in run.result()
    assert not consent.allows(person, "wake-word", Purpose.VOLUNTEERS)


@pytest.mark.django_db(transaction=True)
def test_runs_at_the_same_time_store_everything_once(
    juniper, source, record, manifest, run_together, own_home
):
    path = manifest(*[{"path": record(n), "speaker": f"speaker {n % 3}"} for n in range(12)])
    outputs = run_together(*[lambda: run_import(path)] * 3)
    assert [refusals(text) for text in outputs] == [{}, {}, {}]
    assert (Clip.objects.count(), Task.objects.count()) == (12, 12)
    assert len(files_in_the_vault(own_home)) == 12


def test_an_unknown_campaign_is_refused_and_the_known_ones_are_listed(juniper, source):
    with pytest.raises(CommandError, match=r"no campaign jupiter \(there are: juniper\)"):
        run_import(source, "jupiter")


@pytest.mark.parametrize("empty", ["contributor", "consent_reference"])
def test_contributor_and_consent_reference_are_required(juniper, source, empty):
    given = {"campaign": "juniper", "contributor": "people", "consent_reference": REFERENCE}
    with pytest.raises(CommandError, match=f"--{empty.replace('_', '-')} is empty"):
        call_command("import_clips", source, **given | {empty: " "})
    given.pop(empty)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    with pytest.raises(CommandError, match="arguments are required"):
        call_command("import_clips", str(source), *flags)


def test_a_path_that_is_neither_a_folder_nor_a_manifest_is_refused(juniper, source, record):
    with pytest.raises(CommandError, match="does not exist"):
        run_import(source / "nowhere")
    with pytest.raises(CommandError, match="neither a folder, nor a tar, nor a manifest"):
        run_import(source / record(1))


def test_an_empty_folder_adds_nothing(juniper, source):
    assert run_import(source) == "juniper: 0 added, 0 held already, 0 refused.\n"


def test_an_interrupted_run_continues_where_it_stopped(juniper, source, record, own_home, monkeypatch):
    for number in range(4):
        record(number)
    put_all, calls = vault.put_all, count(1)

    def put_until_the_disk_is_full(wavs):
        if next(calls) == 3:
            raise OSError(28, "No space left on device")
        return put_all(wavs)

    monkeypatch.setattr(vault, "put_all", put_until_the_disk_is_full)
    with pytest.raises(CommandError, match="No space left"):
        run_import(source)
    assert Clip.objects.count() == Task.objects.count() == len(files_in_the_vault(own_home)) == 2
    monkeypatch.setattr(vault, "put_all", put_all)
    assert "2 added, 2 held already" in run_import(source)


def row_with(sound, person, campaign):
    """A clip's row that another upload of the same sound has to wait for."""
    row = row_of_a_clip(sound.fingerprint, person.consents.first(), campaign)
    [row.samples_hash] = fingerprints.hashes([sound.fingerprint])
    return row


@pytest.mark.django_db(transaction=True)
def test_a_killed_run_leaves_only_whole_clips_and_the_next_run_adds_the_rest(
    alice, juniper, source, record, own_home, site_environment, lock_is_awaited
):
    """Killed at the worst moment: the fourth clip's row waits for ours."""
    for number in range(6):
        record(number)
    fourth = intake.read((source / "clip 3.wav").read_bytes())
    command = [sys.executable, "manage.py", "import_clips", str(source), "--campaign", "juniper"]
    command += ["--contributor", "people", "--consent-reference", REFERENCE, "--licence", LICENCE]
    with transaction.atomic():
        row_with(fourth, alice, juniper).save()
        run = subprocess.Popen(command, cwd=ROOT, env=site_environment)
        assert eventually(lock_is_awaited)
        run.kill()
        assert run.wait() == -9
        transaction.set_rollback(True)
    assert Clip.objects.count() == Task.objects.count() == 3
    assert all(vault.get(clip).startswith(b"RIFF") for clip in Clip.objects.all())
    assert "3 added, 3 held already, 0 refused" in run_import(source)
    assert files_in_the_vault(own_home) == set(Clip.objects.values_list("stored_as", flat=True))


@pytest.fixture
def twelve(source, record):
    """Enough files that eight are stored one by one, and then two batches of two."""
    for number in range(12):
        record(number, f"clip {number:02}.wav")
    return source


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_is_killed_while_it_waits_for_a_row_leaves_nothing_behind(
    alice, juniper, twelve, own_home, site_environment, lock_is_awaited
):
    tenth = intake.read((twelve / "clip 09.wav").read_bytes())
    command = [sys.executable, "manage.py", "import_clips", str(twelve), "--campaign", "juniper"]
    command += ["--contributor", "people", "--consent-reference", REFERENCE, "--licence", LICENCE]
    with transaction.atomic():
        row_with(tenth, alice, juniper).save()
        run = subprocess.Popen(command, cwd=ROOT, env=site_environment)
        assert eventually(lock_is_awaited)
        run.kill()
        assert run.wait() == -9
        transaction.set_rollback(True)
    assert Clip.objects.count() == Task.objects.count() == 8
    assert files_in_the_vault(own_home) == set(Clip.objects.values_list("stored_as", flat=True))
    assert "4 added, 8 held already, 0 refused" in run_import(twelve)
    assert all(vault.get(clip).startswith(b"RIFF") for clip in Clip.objects.all())


def test_a_batch_is_stored_whole_or_not_at_all(juniper, twelve, own_home, monkeypatch):
    write, written = vault._write_draft, []

    def until_the_disk_is_full(draft, content):
        written.append(draft)
        if len(written) == 12:  # the second one of the second batch of two
            raise OSError(28, "No space left on device")
        write(draft, content)

    with monkeypatch.context() as patch:
        patch.setattr(vault, "_write_draft", until_the_disk_is_full)
        with pytest.raises(CommandError, match="No space left"):
            run_import(twelve)
    assert Clip.objects.count() == Task.objects.count() == 10
    assert files_in_the_vault(own_home) == set(Clip.objects.values_list("stored_as", flat=True))
    assert "2 added, 10 held already" in run_import(twelve)


@pytest.mark.django_db(transaction=True)
def test_a_batch_whose_commit_lost_its_answer_leaves_no_row_without_its_file(
    juniper, twelve, own_home, monkeypatch
):
    commit = BaseDatabaseWrapper._commit

    def commit_and_lose_the_answer(self):
        commit(self)
        if len(files_in_the_vault(own_home)) == 10:
            raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "_commit", commit_and_lose_the_answer)
        with pytest.raises(OperationalError):
            run_import(twelve)
    assert Clip.objects.count() == 10
    assert files_in_the_vault(own_home) == set(Clip.objects.values_list("stored_as", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_sound_that_another_upload_stores_first_does_not_stop_its_batch(
    alice, juniper, twelve, own_home, monkeypatch, in_background
):
    look, tenth = intake._existing, intake.read((twelve / "clip 09.wav").read_bytes())
    hers, came = intake.Origin(alice, Clip.Source.BROWSER, "en"), []

    def look_and_let_it_come(submissions, campaign):
        found = look(submissions, campaign)
        if not came and tenth.fingerprint in {each.sound.fingerprint for each in submissions}:
            came.append(True)
            assert in_background(lambda: intake.add(tenth, juniper, hers, NOW)).result(timeout=30)
        return found

    monkeypatch.setattr(intake, "_existing", look_and_let_it_come)
    output = run_import(twelve)
    assert refusals(output) == {
        "clip 09.wav": "the same recording is already stored from another contributor"
    }
    assert output.endswith("11 added, 0 held already, 1 refused.\n")
    assert files_in_the_vault(own_home) == set(Clip.objects.values_list("stored_as", flat=True))


def test_refusals_are_reported_in_the_order_of_the_files_within_a_batch_too(juniper, twelve):
    for number in (0, 8, 10, 11):
        (twelve / f"clip {number:02}.wav").write_text("no sound")
    output = run_import(twelve)
    assert list(refusals(output)) == [f"clip {number:02}.wav" for number in (0, 8, 10, 11)]
    assert output.endswith("juniper: 8 added, 0 held already, 4 refused.\n")


def test_a_sound_that_is_twice_in_a_batch_is_stored_once(juniper, twelve):
    (twelve / "clip 09.wav").write_bytes((twelve / "clip 08.wav").read_bytes())
    assert "11 added, 1 held already" in run_import(twelve)


def test_the_words_in_a_batch_are_sealed_under_the_keys_of_their_clips(sentences, record, manifest):
    rows = [{"path": record(n), "transcript": f"sentence {n}\twith \\N"} for n in range(12)]
    run_import(manifest(*rows), "sentences")
    tasks = Task.objects.select_related("clip__contributor__data_key", "campaign").order_by("pk")
    assert [task.reference for task in tasks] == [row["transcript"] for row in rows]
    assert {task.plain_reference for task in tasks} == {""}


def test_rows_stored_in_a_batch_equal_rows_stored_alone(juniper, twelve):
    run_import(twelve)
    own = {"id", "clip_id", "spread", "samples_hash", "sealed_samples", "stored_as", "wrapped_key", "_state"}
    for model in (Clip, Task):
        first, *others = model.objects.order_by("pk")
        same = {name: value for name, value in vars(first).items() if name not in own}
        assert all(same.items() <= vars(other).items() for other in others)
    assert Task.objects.values("spread").distinct().count() > 1


def test_many_clips_need_fewer_statements_per_clip_than_few(juniper, source, record):
    def statements(path, first, number):
        for n in range(first, first + number):
            record(n, f"{path}/clip {n}.wav")
        with CaptureQueriesContext(connection) as done:
            run_import(source / path)
        return len(done)

    assert statements("many", 8, 64) < 3 * statements("few", 0, 8)


def test_speakers_with_similar_names_are_different_people(db):
    people = [
        contributors.find_or_create(*named)
        for named in (("a", "A1"), ("a", "a1"), ("a:b", "c"), ("a", "b:c"))
    ]
    assert len({person.pk for person in people}) == 4
    assert contributors.find_or_create("a", "A1") == people[0]


@mutant(
    "an import is for public releases only with the flag",
    "datasets/clips/imports.py",
    kept_by="[Purpose.PUBLIC] if public else []",
    broken="[Purpose.PUBLIC]",
)
@pytest.mark.parametrize(("flags", "public"), [({}, False), ({"public": True}, True)])
def test_an_import_is_for_public_releases_only_with_the_flag(juniper, source, record, flags, public):
    record(1)
    given = {"contributor": "people", "consent_reference": REFERENCE, "licence": LICENCE}
    call_command("import_clips", source, campaign="juniper", **given, **flags)
    person = Clip.objects.get().contributor
    assert consent.allows(person, "wake-word", Purpose.RESEARCHERS)
    assert consent.allows(person, "wake-word", Purpose.PUBLIC) is public


@mutant(
    "an import gives no consent to speech synthesis",
    "datasets/clips/imports.py",
    kept_by="self.purposes = [Purpose.VOLUNTEERS, Purpose.RESEARCHERS] +",
    broken="self.purposes = [Purpose.VOLUNTEERS, Purpose.RESEARCHERS, Purpose.SYNTHESIS] +",
)
def test_no_import_gives_consent_to_speech_synthesis(sentences, source, record):
    record(1)
    given = {"contributor": "people", "consent_reference": REFERENCE, "licence": LICENCE}
    call_command("import_clips", source, campaign="sentences", **given, public=True)
    person = Clip.objects.get().contributor
    allowed = [purpose for purpose in Purpose if consent.allows(person, "utterance", purpose)]
    assert allowed == [Purpose.VOLUNTEERS, Purpose.RESEARCHERS, Purpose.PUBLIC]
