"""Manifests and folders as other collections make them: understood, or refused; nothing is passed over."""

import os
import resource
import sqlite3
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import consent, contributors, names
from accounts.models import Role, User
from datasets import languages
from datasets.clips import manifests, vault
from datasets.clips.sources import BadSource
from datasets.models import Clip, Task
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.stored import files

NFC, NFD = "Zo\u00eb", "Zoe\u0308"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def record(source):
    """Writes a short recording under each name, each of another pitch."""
    made = []

    def some(*file_names):
        for name in file_names:
            made.append(name)
            path = source / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(sounds.in_format("wav", sounds.tone(0.4, hertz=500 + 50 * len(made))))

    return some


@pytest.fixture
def run(source):
    """Imports a manifest of this text, or the folder; returns the lines that the command says."""

    def run(text=None, name="manifest.csv", campaign="juniper", collection="people"):
        path = source
        if text is not None:
            path = source / name
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        said = StringIO()
        reference = "on paper"
        try:
            call_command(
                "import_clips",
                path,
                campaign=campaign,
                contributor=collection,
                consent_reference=reference,
                licence="CC-BY-4.0",
                stdout=said,
            )
        except CommandError as error:
            error.said = said.getvalue().splitlines()
            raise
        return said.getvalue().splitlines()

    return run


def speakers():
    return sorted(
        (user.pseudonym.removeprefix("import:people").removeprefix(":"), user.clips.count())
        for user in User.objects.filter(is_active=False)
    )


# Columns


COMMON_VOICE = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\tvariant"
    "\tlocale\tsegment\n"
    'ff01\tone.wav\ts1\t"Well", she said.\t\t2\t0\tfifties\tfemale_feminine\tScottish\t\ten\t\n'
    'ff02\ttwo.wav\ts2\t"Hello."\t\t2\t0\t\t\t\t\ten\t\n'
    'ff01\tthree.wav\ts3\tSay ""no"".\t\t2\t0\t\t\t\t\ten\t\n'
)


@mutant(
    "the columns of Common Voice are understood, speakers too",
    "datasets/clips/manifests.py",
    kept_by='_set("client_id speaker_id',
    broken='_set("speaker_id',
)
def test_a_table_of_common_voice_is_understood(sentences, run, record):
    record("clips/one.wav", "clips/two.wav", "clips/three.wav")
    said = run(COMMON_VOICE, "validated.tsv", "sentences")
    assert said == [
        "Columns read under another name: client_id as speaker, sentence as transcript, locale as language.",
        "Ignored columns: sentence_id, sentence_domain, up_votes, down_votes, segment.",
        "Ignored columns, because this site never stores such things: age, gender, accents, variant.",
        "sentences: 3 added, 0 held already, 0 refused.",
    ]
    assert speakers() == [("ff01", 2), ("ff02", 1)]
    words = {task.reference for task in Task.objects.select_related("clip__contributor__data_key")}
    assert words == {'"Well", she said.', "Hello.", 'Say ""no"".'}


@pytest.mark.parametrize(
    ("header", "field"),
    [
        *((name, "speaker") for name in ("Speaker", " SPEAKER ", "speaker_id", "Speaker ID", "client-id")),
        *((name, "transcript") for name in ("text", "Sentence", "transcription", "TRANSCRIPT")),
        *((name, "language") for name in ("locale", "Lang", "language ")),
        ("wake word", "wake_word"),
    ],
)
def test_usual_names_blanks_and_capitals_of_columns_are_understood(tmp_path, header, field):
    for path in ("path", "Path ", "audio_filepath", "file_name", "wav_filename", "File Name", "\ufeffPATH"):
        (tmp_path / "m.csv").write_text(f"{path},{header}\na.wav,some\n", encoding="utf-8-sig")
        [item] = manifests.items(tmp_path / "m.csv")
        assert (item.path, getattr(item, field)) == (str(tmp_path / "a.wav"), "some")


@mutant(
    "a column with an unknown name is refused and not passed over",
    "datasets/clips/manifests.py",
    kept_by="    if unknown:\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize("header", ["spaeker", "speakers", "narrator", "offset", "start", "e-mail", "name"])
def test_an_unknown_column_is_refused_by_name_and_nothing_is_stored(juniper, run, record, header):
    record("a.wav")
    with pytest.raises(CommandError, match=f"line 1: unknown columns: {header}. Rename or remove them"):
        run(f"path,{header}\na.wav,ann\n")
    assert User.objects.filter(is_active=False).count() == Clip.objects.count() == 0


def test_two_columns_of_one_meaning_are_refused(tmp_path):
    (tmp_path / "m.csv").write_text("path,speaker,client_id\na.wav,ann,ff01\n")
    with pytest.raises(BadSource) as refused:
        list(manifests.items(tmp_path / "m.csv"))
    assert refused.value.parameters["found"] == "speaker and client_id"


@given(st.text(max_size=12).filter(lambda name: not set(name) & set('",;\t\r\n\0')))
@settings(max_examples=60, deadline=None)
def test_any_other_column_is_either_named_or_refused(tmp_path_factory, header):
    path = tmp_path_factory.getbasetemp() / "columns.csv"
    path.write_text(f"path,{header}\na.wav,x\n", encoding="utf-8", errors="surrogatepass")
    try:
        found = manifests.layout(path)
    except BadSource:
        return
    named = [*found.renamed.values(), *found.ignored, *found.personal]
    assert found.fields[1] in manifests.COLUMNS or named


def test_what_is_never_stored_is_in_no_table(sentences, run, record):
    record("a.wav")
    run(
        "path,sentence,age,gender,accents\na.wav,hello,fifties,Unmistakable,Glaswegian\n",
        campaign="sentences",
    )
    clip = Clip.objects.get()
    stored = "\n".join(f"{vars(row)}" for row in (clip, clip.contributor, Task.objects.get()))
    assert "nmistakable" not in stored and "laswegian" not in stored
    assert Task.objects.get().reference == "hello"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "TSV"])
def test_commas_semicolons_and_tabs_are_recognised(tmp_path, delimiter, suffix):
    table = tmp_path / f"m.{suffix}"
    rows = [["path", "text"], ["a.wav", "well"], ["b.wav", f'"o{delimiter.strip() or "x"}k"']]
    table.write_text("".join(delimiter.join(row) + "\n" for row in rows))
    assert [item.transcript for item in manifests.items(table)] == ["well", f"o{delimiter.strip() or 'x'}k"]


def test_a_row_of_another_length_is_refused_by_its_line_but_empty_cells_may_follow(tmp_path):
    table = tmp_path / "m.csv"
    for rows, says in (("a.wav,ann\nb.wav\n", "few"), ("a.wav,ann\nb.wav,ben,x\n", "many")):
        table.write_text("path,speaker\n" + rows)
        with pytest.raises(BadSource, match=f"too-{says}-cells") as refused:
            list(manifests.items(table))
        assert refused.value.parameters["line"] == 3
    table.write_text(",path,speaker,\n1,a.wav,ann,\n2,b.wav,ben,,\n")
    assert [item.speaker for item in manifests.items(table)] == ["ann", "ben"]
    assert manifests.layout(table).ignored == ["(no name)", "(no name)"]


# Speakers, languages, paths


@mutant(
    "a speaker whose name is written in two Unicode forms is one person",
    "accounts/contributors.py",
    kept_by='    return unicodedata.normalize("NFC", text.strip())\n',
    broken="    return text.strip()\n",
)
def test_speakers_that_differ_only_by_unicode_form_or_blanks_are_one(juniper, run, record):
    record("a.wav", "b.wav", "c.wav", "d.wav")
    run(f"path,speaker\na.wav,{NFC}\nb.wav,{NFD}\nc.wav, {NFD}\u00a0\nd.wav,{NFC.lower()}\n")
    assert speakers() == sorted([(NFC, 3), (NFC.lower(), 1)])
    assert contributors.find(" people", NFD) == contributors.find("people", NFC)
    assert [speaker for speaker, _ in contributors.in_collection("people ")] == [NFC, NFC.lower()]


@mutant(
    "who withdrew under one Unicode form of a name is not imported under another",
    "accounts/contributors.py",
    kept_by="        return next(filter(consent.has_withdrawn, existing), existing[0])\n",
    broken="        return existing[0]\n",
)
def test_who_withdrew_under_an_older_form_of_their_name_is_not_brought_back(juniper, run, record):
    for form in (NFC, NFD):  # as older versions of this site stored them, when they were two people
        text = names.imported("people", form)
        User.objects.create_found_by(text, f"import:people:{form}", is_active=False, roles=[Role.CONTRIBUTOR])
    assert len(contributors.find_all("people", NFC)) == 2
    consent.give(
        contributors.find_all("people", NFC)[1], juniper.material, ["volunteers"], NOW, reference="x"
    )
    consent.withdraw(contributors.find_all("people", NFC)[1], NOW)
    record("a.wav")
    assert run(f"path,speaker\na.wav,{NFC}\n")[-1].endswith("0 added, 0 held already, 1 refused.")
    assert {who.pseudonym for _, who in contributors.in_collection("people")} == {
        f"import:people:{form}" for form in (NFC, NFD)
    }


@pytest.mark.parametrize(("given", "kept"), [("en_US", "en-US"), ("EN_gb", "en-GB"), ("en-au", "en-au")])
def test_a_language_with_an_underscore_is_understood(juniper, run, record, given, kept):
    record("a.wav")
    run(f"path,locale\na.wav,{given}\n")
    assert Clip.objects.get().language == kept


@mutant(
    "a language code has no line end",
    "datasets/languages.py",
    kept_by="*\\Z",
    broken="*$",
)
def test_a_language_code_has_no_line_end():
    assert languages.is_code("en-US") and not languages.is_code("en-US\n")
    assert languages.tidied("en_US\n") == "en-US"


@mutant(
    "a file is found whichever Unicode form its name has on disk",
    "datasets/clips/imports.py",
    kept_by="    real = manifests.on_disk(path)\n",
    broken="    real = None\n",
)
@pytest.mark.parametrize(("on_disk", "named"), [(NFC, NFD), (NFD, NFC), (NFC, NFC), (NFD, NFD)])
def test_a_name_in_one_unicode_form_finds_the_file_in_the_other(juniper, run, record, on_disk, named):
    record(f"{on_disk}/{on_disk}.wav", "plain.wav")
    said = run(f"path\n{named}/{named}.wav\nplain.wav\n{named}.wav\n")
    assert said == [
        f"refused: line 4: {named}.wav: there is no such file",
        "juniper: 2 added, 0 held already, 1 refused.",
    ]


def test_of_two_files_whose_names_differ_by_form_the_exact_one_is_taken(source, record):
    record(f"{NFD}.wav", f"{NFC}.wav")
    if len(os.listdir(source)) < 2:
        pytest.skip("this file system has one form")
    for form in (NFC, NFD):
        assert manifests.on_disk(source / f"{form}.wav") == str(source / f"{form}.wav")


def test_backslashes_separate_folders(juniper, run, record):
    record("deep/a.wav")
    assert run("path\ndeep\\a.wav\n.\\deep\\..\\deep\\a.wav\n")[0].startswith("juniper: 1 added, 1 held")


def test_a_file_with_a_backslash_in_its_name_is_found(juniper, run, record):
    record("a\\b.wav")
    assert "1 added" in run("path\na\\b.wav\n")[-1]


@mutant(
    "a manifest reads no file outside its folder",
    "datasets/clips/manifests.py",
    kept_by='    if os.path.isabs(name) or has_drive or clean == ".." or clean.startswith("../"):\n',
    broken="    if False:\n",
)
def test_a_path_that_is_absolute_or_leads_out_of_the_folder_is_refused(juniper, run, record, source):
    record("a.wav", "../outside.wav")
    outside = source.parent / "outside.wav"
    paths = [str(outside), "../outside.wav", "x/../../outside.wav", "..", "..\\outside.wav", "C:\\a.wav"]
    said = run("path\n" + "".join(f"{path}\n" for path in [*paths, "x/../a.wav"]))
    assert said[-1] == "juniper: 1 added, 0 held already, 6 refused."
    reason = "its path is absolute or leads out of the manifest's folder"
    assert said[:-1] == [f"refused: line {n}: {path}: {reason}" for n, path in enumerate(paths, 2)]


# Repeated rows


def test_repeated_rows_are_counted_and_the_first_is_named(juniper, run, record):
    record("a.wav", "b.wav", f"{NFC}.wav")
    said = run(f"path,speaker\na.wav,ann\nb.wav,ben\na.wav,ann\n./a.wav,ann\n{NFC}.wav,c\n{NFD}.wav,c\n")
    assert said == [
        "juniper: 3 added, 3 held already, 0 refused.",
        "3 rows repeat another row; the first is line 4: a.wav, as line 2.",
    ]


@mutant(
    "a row that says something else of a file than an earlier one is refused",
    "datasets/clips/manifests.py",
    kept_by="    if its_row != row:\n",
    broken="    if False:\n",
)
def test_a_row_that_contradicts_an_earlier_one_is_refused(sentences, run, record):
    record("a.wav")
    said = run("path,text\na.wav,one\na.wav,two\n", campaign="sentences")
    assert said[1] == "refused: line 3: a.wav: line 2 names the same file and says something else of it"
    assert said[-1] == "sentences: 1 added, 0 held already, 1 refused."


def test_a_second_run_adds_only_what_is_missing(juniper, run, record):
    record("a.wav")
    table = f"path,client_id,locale\na.wav,{NFC},en_US\nb.wav,{NFD},en_US\n"
    assert run(table)[-1].endswith("1 added, 0 held already, 1 refused.")
    record("b.wav")
    assert run(table.replace(NFC, NFD))[-1].endswith("1 added, 1 held already, 0 refused.")
    assert speakers() == [(NFC, 2)]


# Folders


@mutant(
    "a folder that is a link is named, and the command fails",
    "datasets/clips/folders.py",
    kept_by="            if os.path.islink(",
    broken="            if False and os.path.islink(",
)
def test_a_linked_folder_is_refused_by_name_and_the_command_fails(juniper, run, record, source):
    record("a.wav", "../elsewhere/b.wav")
    (source / "more").symlink_to(source.parent / "elsewhere")
    with pytest.raises(
        CommandError, match="1 folders were refused, so there may be more recordings"
    ) as failed:
        run()
    assert failed.value.said == [
        "refused: more: this is a link to a folder and is not followed; import that folder itself",
        "juniper: 1 added, 0 held already, 1 refused.",
    ]


@mutant(
    "a folder that cannot be read is named, and the command fails",
    "datasets/clips/folders.py",
    kept_by="os.walk(root, onerror=unreadable.append)",
    broken="os.walk(root)",
)
@pytest.mark.parametrize("where", ["b", "b/deeper", "z"])
def test_a_folder_that_cannot_be_read_is_refused_by_name(juniper, run, record, source, monkeypatch, where):
    record("a.wav", "c.wav")
    closed = source / where
    closed.mkdir(parents=True)
    look = os.scandir

    def looking(path):
        if Path(path) == closed:  # root may read every folder, so its permissions prove nothing here
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", looking)
    with pytest.raises(CommandError, match="1 folders were refused") as failed:
        run()
    assert failed.value.said == [
        f"refused: {where}: it cannot be read: Permission denied",
        "juniper: 2 added, 0 held already, 1 refused.",
    ]


def test_a_source_that_cannot_be_read_is_refused_with_one_line(juniper, run, source, monkeypatch):
    def refusing(path, *_args, **_options):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refusing)
        with pytest.raises(CommandError, match=r"source/ cannot be read: Permission denied\.$"):
            run()
    (source / "m.csv").write_text("path\n")
    monkeypatch.setattr(manifests, "open", refusing, raising=False)
    with pytest.raises(CommandError, match=r"m\.csv cannot be read: Permission denied\.$"):
        run("path\n", "m.csv")


# Disks


@contextmanager
def files_of_at_most(size):
    """Like a disk that is full: the kernel refuses to write more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@mutant(
    "a disk that takes no more ends an import with one line",
    "datasets/management/commands/import_clips.py",
    kept_by="        except OSError as error:\n",
    broken="        except ZeroDivisionError as error:\n",
)
def test_a_disk_that_takes_no_more_ends_an_import_with_one_line_and_nothing_half_written(
    juniper, run, record, source, own_home
):
    record("a.wav")
    run()
    record("b.wav")
    (source / "c.wav").write_bytes(sounds.in_format("wav", sounds.tone(20)))
    with files_of_at_most(500_000), pytest.raises(CommandError) as stopped:
        run()
    assert str(stopped.value) == (
        "Stopped: File too large. 1 added, 1 held already, 0 refused. Run it again to continue."
    )
    kept = {str(path.relative_to(own_home / "vault")) for path in files(own_home)}
    assert kept == set(Clip.objects.values_list("stored_as", flat=True))
    assert len(kept) == Task.objects.count() == 2
    assert run()[-1].endswith("1 added, 2 held already, 0 refused.")


@pytest.mark.parametrize(
    ("number", "says"),
    [(28, "No space left"), (30, "Read-only"), (122, "quota exceeded"), (5, "Input/output error")],
)
def test_any_error_of_a_disk_is_one_line(juniper, run, record, monkeypatch, number, says):
    def failing(draft, content):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(vault, "_write_draft", failing)
    record("a.wav")
    with pytest.raises(CommandError, match=rf"^Stopped: .*{says}.*\. 0 added, [^\n]*$"):
        run()
    assert Clip.objects.count() == Task.objects.count() == 0


@mutant(
    "a full disk of a database ends an import with one line",
    "datasets/management/commands/import_clips.py",
    kept_by='    is_disk = isinstance(error, sqlite3.OperationalError) or code.startswith(("53", "58"))\n',
    broken="    is_disk = False\n",
)
@pytest.mark.django_db(transaction=True)
def test_a_full_disk_of_either_database_is_one_line(juniper, run, record, monkeypatch, own_home):
    def of_postgresql(*_):
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$")

    def of_the_key_copy(*_):
        raise sqlite3.OperationalError("database or disk is full")

    record("a.wav")
    for failing, says in (
        (of_postgresql, "could not extend file"),
        (of_the_key_copy, "database or disk is full"),
    ):
        with monkeypatch.context() as patch, pytest.raises(CommandError) as stopped:
            patch.setattr(vault, "put_all", failing)
            run()
        assert str(stopped.value).startswith(f"Stopped: {says}. 0 added")
        assert "\n" not in str(stopped.value)
    assert Clip.objects.count() == 0
