"""Archives of releases come in again with labels, speakers and licences as they were; broken ones do not."""

import gzip
import io
import json
import os
import tarfile
import tracemalloc
from contextlib import closing, suppress
from io import StringIO
from pathlib import Path
from random import Random

import pyarrow
import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command

from accounts import consent
from accounts.models import Material, User
from datasets.clips import fingerprints, intake
from datasets.clips.sources import BadSource, FileRefused
from datasets.imports import archives, containers
from datasets.models import Clip, Recall, Release, ReleaseRow, Task
from datasets.releases import formats
from tests.conftest import NOW
from tests.support import cast, laid_out, released, sounds
from tests.support.mutants import mutant

TEXTS = ["qué día", "o'neill's", "hey you", "good night", 'well, "yes"']
LABELS = ["yes", "no", "similar", "noise", "yes"]


def taken(source, campaign, licence="", form="", collection="people", reference="on paper"):
    """What the command says of importing this."""
    said = StringIO()
    given = {"campaign": campaign.slug, "contributor": collection, "consent_reference": reference}
    call_command("import_clips", source, **given, licence=licence, format=form, stdout=said)
    return said.getvalue()


def known(campaign):
    """{fingerprint of its samples: (what is known of a clip, its speaker, its licence)}"""
    tasks = Task.objects.filter(campaign=campaign).select_related("clip__contributor__data_key", "campaign")
    return {
        fingerprints.of(task.clip): (
            task.reference,
            task.clip.contributor.pseudonym.removeprefix("import:people").removeprefix(":"),
            task.clip.licence,
        )
        for task in tasks
    }


def expected(rows, answer, speaker, licence):
    return {intake.read(row.sound).fingerprint: (answer(row), speaker(row), licence) for row in rows}


@pytest.mark.parametrize("kind", ["", ".tar"], ids=["folder", "tar"])
@pytest.mark.parametrize("form", laid_out.OF_WORDS)
def test_what_others_lay_out_comes_with_its_words_and_speakers(sentences, tmp_path, form, kind):
    rows = laid_out.recorded(TEXTS)
    source = laid_out.write(laid_out.OF_WORDS[form](rows), tmp_path / f"it{kind}")
    said = taken(source, sentences, "CC-BY-4.0", form)
    assert said.endswith("sentences: 5 added, 0 held already, 0 refused.\n"), said
    speaker = (lambda row: "") if form in laid_out.WITHOUT_SPEAKERS else (lambda row: row.speaker)
    assert known(sentences) == expected(rows, lambda row: row.text, speaker, "CC-BY-4.0")


@pytest.mark.parametrize("kind", ["", ".tar"], ids=["folder", "tar"])
@pytest.mark.parametrize("form", laid_out.OF_LABELS)
def test_folders_are_labels(juniper, tmp_path, form, kind):
    rows = laid_out.recorded(LABELS)
    source = laid_out.write(laid_out.OF_LABELS[form](rows), tmp_path / f"it{kind}")
    assert "5 added" in taken(source, juniper, "CC-BY-4.0", form)
    label = {"yes": "wake-word"}
    found = expected(rows, lambda row: label.get(row.text, "not-wake-word"), lambda row: "", "CC-BY-4.0")
    assert known(juniper) == found


@pytest.mark.parametrize("kind", ["", ".tar"], ids=["folder", "tar"])
@pytest.mark.parametrize("form", laid_out.OF_WORDS | laid_out.OF_LABELS)
def test_an_archive_of_a_release_is_known_by_its_soft_labels(juniper, sentences, tmp_path, form, kind):
    """Whatever its format can hold: the label `similar`, speakers, licences."""
    is_words = form in laid_out.OF_WORDS
    rows = laid_out.recorded(TEXTS if is_words else LABELS)
    soft = laid_out.soft_labels(rows, soft={"words": []} if is_words else {"votes": {}})
    votes = {"votes.parquet": _votes()}
    files = (laid_out.OF_WORDS | laid_out.OF_LABELS)[form](rows) | soft | votes
    campaign = sentences if is_words else juniper
    said = taken(laid_out.write(files, tmp_path / f"it{kind}"), campaign)
    assert said.endswith(": 5 added, 0 held already, 0 refused.\n"), said
    speaker = lambda row: f"secret-{row.speaker}"  # noqa: E731
    assert known(campaign) == expected(rows, lambda row: row.text, speaker, "CC-BY-4.0")


def _votes():
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"annotator": ["a"], "answer": ["yes"]}), written)
    return written.getvalue()


@pytest.fixture
def emptied(db):
    """Takes everything out of the database that an import would meet again, as on another site."""

    def empty():
        for model in (Recall, ReleaseRow, Release, Task):
            model.objects.all().delete()
        Clip.objects.all().delete()

    return empty


def shared(campaign, answers):
    """Settled clips of this campaign by three people, of which each says several."""
    people = cast.create(*(f"{campaign.slug}-{n}" for n in range(3)))
    for person in people:
        for material in Material:
            consent.give(person, material, material.purposes, NOW, reference="on paper")
    for number, answer in enumerate(answers):
        sound = intake.read(sounds.in_format("wav", sounds.tone(3.0, hertz=700 + 30 * number)))
        origin = intake.Origin(people[number % 3], Clip.Source.IMPORT, "en", licence="CC-BY-4.0")
        intake.add(sound, campaign, origin, NOW)
        released.settle(Task.objects.latest("pk"), answer)


def told(folder):
    """{fingerprint: (answer, its speaker's other recordings)} of an exported folder."""
    archive = archives.opened(folder)
    items = [
        (intake.read(item.read() if item.read else Path(item.path).read_bytes()).fingerprint, item)
        for words in (True, False)
        for item in archive.items(words)
        if not item.fault
    ]
    by_speaker = {}
    for fingerprint, item in items:
        by_speaker.setdefault(item.speaker, set()).add(fingerprint)
    return {
        fingerprint: (item.truth or item.transcript, frozenset(by_speaker[item.speaker]), item.licence)
        for fingerprint, item in items
    }


WITHOUT_SOUND = {"text", "parquet-labels"}
NEED_MORE = {"ljspeech"}  # a consent of its own


@pytest.mark.parametrize("form", sorted(set(formats.FORMATS) - WITHOUT_SOUND - NEED_MORE))
@pytest.mark.parametrize("kind", ["juniper", "sentences"])
def test_exported_imported_and_exported_again_it_says_the_same(
    juniper, sentences, tmp_path, emptied, form, kind
):
    campaign = {"juniper": juniper, "sentences": sentences}[kind]
    shared(campaign, ["hello there", "good night", "it is late"] * 2 if kind == "sentences" else LABELS)
    first = exported("first", campaign, form, tmp_path)
    if kind == "sentences" and not first:  # a format for wake words alone
        return
    emptied()
    assert f"{len(first)} added" in taken(tmp_path / "first", campaign)
    for task in Task.objects.select_related("campaign", "clip__contributor__data_key"):
        released.settle(task, task.reference)
    assert first and exported("second", campaign, form, tmp_path) == first


def exported(slug, campaign, form, folder):
    """What an export says; nothing if the format takes nothing of this kind."""
    released.release(slug, campaign, licence="CC-BY-4.0")
    try:
        call_command("export", slug, format=form, to=folder / slug, stdout=StringIO())
        return told(folder / slug)
    except (CommandError, BadSource):
        return {}


# What is refused


def nothing_is_stored():
    return not Clip.objects.exists() and not User.objects.exists()


@pytest.fixture
def refused(sentences):
    """The sentence with which the command refuses this; then nothing is stored."""

    def refuse(source, **options):
        with pytest.raises(CommandError) as error:
            taken(source, sentences, **options)
        assert nothing_is_stored()
        return str(error.value)

    return refuse


def a_tar(tmp_path, files=None):
    rows = laid_out.recorded(TEXTS)
    whole = laid_out.deepspeech(rows) | laid_out.soft_labels(rows)
    return laid_out.write(whole if files is None else files, tmp_path / "it.tar")


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_tar_that_was_cut_off_is_refused(refused, tmp_path, share):
    source = a_tar(tmp_path)
    content = source.read_bytes()
    for cut in (int(len(content) * share), int(len(content) * share) // 512 * 512):
        source.write_bytes(content[:cut])
        assert "is damaged or incomplete: its end is missing" in refused(source)


def test_a_tar_whose_end_lies_about_what_is_before_is_refused(refused, tmp_path):
    source = a_tar(tmp_path)
    source.write_bytes(source.read_bytes()[:20_000] + bytes(1_024 + 480))
    assert "is damaged or incomplete" in refused(source)


@pytest.mark.parametrize(
    "content",
    [b"", b"no tar at all" * 100, gzip.compress(laid_out.tar({"a.wav": b"a"}))],
    ids=["empty", "other", "compressed"],
)
def test_what_is_no_plain_tar_is_refused(refused, tmp_path, content):
    (tmp_path / "it.tar").write_bytes(content)
    assert "is damaged or incomplete" in refused(tmp_path / "it.tar")


def hostile(**fields):
    member = tarfile.TarInfo("clips/x.wav")
    for name, value in fields.items():
        setattr(member, name, value)
    return member


@pytest.mark.parametrize(
    "member",
    [
        hostile(name="../outside.wav"),
        hostile(name="clips/../../outside.wav"),
        hostile(name="/etc/passwd.wav"),
        hostile(type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        hostile(type=tarfile.LNKTYPE, linkname="/etc/passwd"),
        hostile(type=tarfile.CHRTYPE, devmajor=1, devminor=5),
        hostile(type=tarfile.FIFOTYPE),
    ],
    ids=["up", "up below", "absolute", "link", "hard link", "device", "pipe"],
)
def test_a_tar_with_anything_but_files_inside_it_is_refused(refused, tmp_path, member):
    a_tar(tmp_path)
    with tarfile.open(tmp_path / "it.tar", "a") as opened:
        opened.addfile(member)
    assert "which is not a plain file inside it" in refused(tmp_path / "it.tar")


def test_a_name_that_a_tar_has_twice_is_refused(refused, tmp_path):
    a_tar(tmp_path)
    with tarfile.open(tmp_path / "it.tar", "a") as opened:
        opened.addfile(hostile(name="clips/id0.wav"))
    assert "clips/id0.wav is in it twice" in refused(tmp_path / "it.tar")


@pytest.mark.parametrize("cut", [10, 200, -10])
def test_a_parquet_file_that_was_cut_off_is_refused(refused, tmp_path, cut):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.parquet(rows) | laid_out.soft_labels(rows)
    files["data/train-00000-of-00001.parquet"] = files["data/train-00000-of-00001.parquet"][:cut]
    source = laid_out.write(files, tmp_path / "it")
    assert "data/train-00000-of-00001.parquet is damaged or incomplete" in refused(source)


def test_a_group_of_rows_too_large_to_hold_is_refused(refused, tmp_path, monkeypatch):
    rows = laid_out.recorded(TEXTS)
    source = laid_out.write(laid_out.parquet(rows) | laid_out.soft_labels(rows), tmp_path / "it")
    monkeypatch.setattr(containers, "LARGEST_GROUP", 10_000)
    assert "in one group of rows" in refused(source)


def test_a_path_instead_of_bytes_in_a_parquet_file_is_a_missing_sound(sentences, tmp_path):
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    sound = pyarrow.array([{"bytes": None, "path": "/home/me/a.wav"}], kind)
    pyarrow.parquet.write_table(
        pyarrow.table({"audio": sound, "sentence": ["hello"]}), tmp_path / "a.parquet"
    )
    said = taken(tmp_path, sentences, "MIT", "parquet")
    assert "refused: a.parquet, row 1: there is no such file\n" in said


@pytest.mark.parametrize("form", ["webdataset", "lhotse-shar"])
def test_a_shard_that_was_cut_off_is_refused(refused, tmp_path, form):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.OF_WORDS[form](rows) | laid_out.soft_labels(rows)
    shard = next(name for name in files if name.endswith(".tar"))
    files[shard] = files[shard][:15_000]
    assert f"{shard} is damaged or incomplete" in refused(laid_out.write(files, tmp_path / "it"))


def test_cuts_that_are_damaged_or_unpack_without_end_are_refused(refused, tmp_path, monkeypatch):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.lhotse_shar(rows) | laid_out.soft_labels(rows)
    whole = files["train/cuts.000000.jsonl.gz"]
    files["train/cuts.000000.jsonl.gz"] = whole[:-20]
    source = laid_out.write(files, tmp_path / "it")
    assert "cuts.000000.jsonl.gz is damaged or incomplete" in refused(source)
    (source / "train" / "cuts.000000.jsonl.gz").write_bytes(whole)
    monkeypatch.setattr(containers, "MOST_UNPACKED", 100)
    assert "it unpacks to more than" in refused(source)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{}\n", "soft-labels.jsonl, line 6: "),
        (b'{"id": "x", "answer": []}\n', "soft-labels.jsonl, line 6: "),
        (b"no json\n", "soft-labels.jsonl, line 6: "),
        (b"[" * 100_000 + b"\n", "soft-labels.jsonl, line 6: "),
        (b"\xff\n", "soft-labels.jsonl, line 6: not UTF-8"),
        (b"x" * 2**21, "soft-labels.jsonl, line 6: a line of at most"),
    ],
    ids=["no id", "no answer", "no JSON", "nested", "no UTF-8", "endless"],
)
def test_broken_soft_labels_are_refused_by_their_line(refused, tmp_path, line, says):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.deepspeech(rows) | laid_out.soft_labels(rows)
    files["soft-labels.jsonl"] += line
    assert refused(laid_out.write(files, tmp_path / "it")).startswith(says)


def test_texts_without_sound_are_refused_with_words(refused, tmp_path):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.soft_labels(rows) | {"train.jsonl": laid_out.json_lines([{"id": "a", "text": "b"}])}
    source = laid_out.write(files | {"labels.parquet": _votes()}, tmp_path / "it")
    assert "has texts and labels but no recordings" in refused(source)
    assert "has texts and labels but no recordings" in refused(source, form="text")


def test_another_format_than_was_said_is_refused(refused, tmp_path):
    source = laid_out.write(laid_out.deepspeech(laid_out.recorded(TEXTS)), tmp_path / "it")
    assert refused(source, form="kaldi").endswith("has no files of the format kaldi (wav.scp).")


def test_a_missing_sound_and_one_that_is_not_listed_stop_no_other(sentences, tmp_path):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.deepspeech(rows) | laid_out.soft_labels(rows[:-1])
    del files["clips/id0.wav"]
    said = taken(laid_out.write(files, tmp_path / "it"), sentences)
    assert said.endswith("sentences: 3 added, 0 held already, 2 refused.\n")
    assert "clips/id0.wav: there is no such file\n" in said
    assert "id4.wav: soft-labels.jsonl, which lists the archive’s recordings, does not name it\n" in said


@pytest.mark.parametrize("kind", ["", ".tar"])
def test_a_recording_that_is_only_listed_is_missing(juniper, tmp_path, kind):
    rows = laid_out.recorded(LABELS)
    files = laid_out.precise(rows[1:]) | laid_out.soft_labels(rows)
    said = taken(laid_out.write(files, tmp_path / f"it{kind}"), juniper)
    assert "refused: id0: there is no such file\n" in said and "4 added" in said


@mutant(
    "no table of an archive reaches a file outside it",
    "datasets/imports/archives.py",
    kept_by='and not path.startswith("..")):',
    broken="):",
)
@pytest.mark.parametrize("path", ["../secret.wav", "/etc/secret.wav", "clips/../../secret.wav"])
@pytest.mark.parametrize("kind", ["", ".tar"])
def test_a_row_whose_path_leads_out_is_refused(sentences, tmp_path, path, kind):
    (tmp_path / "secret.wav").write_bytes(sounds.in_format("wav"))
    table = f"wav_filename,wav_filesize,transcript\n{path},1,hello\n".encode()
    source = laid_out.write({"train.csv": table}, tmp_path / f"it{kind}")
    said = taken(source, sentences, "MIT", "deepspeech")
    assert "leads out of the manifest’s folder" in said.replace("'", "’") and "0 added" in said


def test_an_answer_to_another_question_is_refused(juniper, tmp_path):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.deepspeech(rows) | laid_out.soft_labels(rows)
    said = taken(laid_out.write(files, tmp_path / "it"), juniper)
    assert said.count("its answer is to another kind of question than this campaign’s\n") == 5


# Licences


def test_the_licence_of_an_archive_is_that_of_its_documents(sentences, tmp_path):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.deepspeech(rows) | laid_out.soft_labels(rows, licence="")
    files["LICENSE.txt"] = b"SPDX-License-Identifier: CC-BY-SA-4.0\n\nAnd so on.\n"
    assert "licence: CC-BY-SA-4.0." in taken(laid_out.write(files, tmp_path / "it"), sentences)
    assert set(Clip.objects.values_list("licence", flat=True)) == {"CC-BY-SA-4.0"}


def test_the_head_of_a_card_names_it_as_well(sentences, tmp_path):
    files = laid_out.nemo(laid_out.recorded(TEXTS)) | {"README.md": b"---\nlicense: cc-by-4.0\n---\n# Card\n"}
    taken(laid_out.write(files, tmp_path / "it"), sentences, form="nemo")
    assert set(Clip.objects.values_list("licence", flat=True)) == {"CC-BY-4.0"}


@mutant(
    "no archive is brought under another licence than its own",
    "datasets/imports/archives.py",
    kept_by="        if given and self.licence and given != self.licence:\n",
    broken="        if False:\n",
)
def test_no_archive_is_brought_under_another_licence_than_its_own(refused, tmp_path):
    files = laid_out.deepspeech(laid_out.recorded(TEXTS))
    files["LICENSE.txt"] = b"SPDX-License-Identifier: CC-BY-SA-4.0\n"
    source = laid_out.write(files, tmp_path / "it")
    said = refused(source, form="deepspeech", licence="CC0-1.0")
    assert "says that its recordings are under CC-BY-SA-4.0, not under CC0-1.0." in said


def test_each_recording_keeps_the_licence_that_its_line_names(sentences, tmp_path):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.deepspeech(rows) | {
        "soft-labels.jsonl": laid_out.soft_labels(rows[:2], "CC0-1.0")["soft-labels.jsonl"]
        + laid_out.soft_labels(rows[2:], "CC-BY-4.0")["soft-labels.jsonl"]
    }
    taken(laid_out.write(files, tmp_path / "it"), sentences, "MIT")
    assert sorted(Clip.objects.values_list("licence", flat=True)) == ["CC-BY-4.0"] * 3 + ["CC0-1.0"] * 2


def test_an_archive_that_names_no_licence_needs_one(refused, tmp_path):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.deepspeech(rows) | laid_out.soft_labels(rows, licence="")
    assert "does not say under which licence" in refused(laid_out.write(files, tmp_path / "it"))


# Size


@pytest.mark.parametrize("form", ["nemo", "deepspeech"])
def test_twenty_thousand_rows_are_not_in_memory_at_once(tmp_path, form):
    said = "a sentence of some length that somebody said, " * 8
    if form == "nemo":
        row = json.dumps({"audio_filepath": "clips/NUMBER.wav", "text": said}) + "\n"
        name, head = "train_manifest.json", ""
    else:
        row, name = f'clips/NUMBER.wav,1,"{said}"\n', "train.csv"
        head = "wav_filename,wav_filesize,transcript\n"
    with open(tmp_path / name, "w") as file:
        file.write(head)
        file.writelines(row.replace("NUMBER", str(number)) for number in range(20_000))
    archive = archives.opened(tmp_path, form)
    tracemalloc.start()
    assert archive.survey(True).number == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (tmp_path / name).stat().st_size


def test_names_that_are_no_text_are_named_all_the_same(sentences, tmp_path):
    rows = laid_out.recorded(TEXTS)
    source = laid_out.write(laid_out.deepspeech(rows), tmp_path / "it")
    os.rename(source / "dev.csv", os.fsencode(source) + b"/caf\xe9.csv")
    (source / "clips" / "id1.wav").unlink()
    said = taken(source, sentences, "MIT", "deepspeech")
    assert "refused: caf?.csv, line 2: clips/id1.wav: there is no such file\n" in said and "4 added" in said


def test_cuts_may_have_other_ids_than_their_recordings(sentences, tmp_path):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.lhotse_shar(rows, compressed=False)
    cuts = [json.loads(line) for line in files["train/cuts.000000.jsonl"].splitlines()]
    renamed = [cut | {"id": f"cut of {cut['id']}", "recording": {"id": cut["id"]}} for cut in cuts]
    files["train/cuts.000000.jsonl"] = laid_out.json_lines(renamed)
    assert "5 added" in taken(laid_out.write(files, tmp_path / "it"), sentences, "MIT", "lhotse-shar")


def damaged(random, content):
    """The same bytes cut off, changed in a few places, or with others in between."""
    place = random.randrange(len(content))
    how = random.randrange(3)
    if how == 0:
        return content[:place]
    if how == 1:
        return content[:place] + random.randbytes(random.randint(1, 40)) + content[place:]
    changed = bytearray(content)
    for _ in range(random.randint(1, 8)):
        changed[random.randrange(len(content))] = random.choice([0, 10, 34, 123, 255])
    return bytes(changed)


@pytest.mark.parametrize("form", laid_out.OF_WORDS | laid_out.OF_LABELS)
def test_whatever_is_damaged_is_read_or_refused_in_words(tmp_path, form):
    random, rows = Random(form), laid_out.recorded(TEXTS)
    files = (laid_out.OF_WORDS | laid_out.OF_LABELS)[form](rows) | laid_out.soft_labels(rows)
    for number in range(40):
        name = random.choice([name for name in files if not name.endswith(".wav") and files[name]])
        source = tmp_path / f"{number}.tar"
        if random.randrange(2):
            laid_out.write(files | {name: damaged(random, files[name])}, source)
        else:
            source.write_bytes(damaged(random, laid_out.tar(files)))
        with suppress(BadSource):
            read_whole(archives.opened(source))


def read_whole(archive):
    with closing(archive):
        archive.survey(True)
        for item in archive.items(True):
            with suppress(FileRefused):
                assert item.fault or item.read()


def test_an_audio_folder_may_have_its_metadata_in_objects(sentences, tmp_path):
    rows = laid_out.recorded(TEXTS)
    source = laid_out.write(laid_out.hf_audiofolder_of_objects(rows), tmp_path / "it")
    assert "5 added" in taken(source, sentences, "MIT", "hf-audiofolder")
    assert known(sentences) == expected(rows, lambda row: row.text, lambda row: row.speaker, "MIT")


def test_the_paths_of_kaldi_may_begin_in_any_folder_above_their_table(sentences, tmp_path):
    rows = laid_out.recorded(TEXTS)
    files = {f"transcription-en/{name}": content for name, content in laid_out.kaldi(rows).items()}
    other = {"wav/id0.wav": sounds.in_format("wav", sounds.tone(0.7))}  # farther away
    source = laid_out.write(files | other, tmp_path / "it")
    assert "5 added" in taken(source, sentences, "MIT", "kaldi")
    assert known(sentences) == expected(rows, lambda row: row.text, lambda row: row.speaker, "MIT")


@pytest.mark.parametrize(("is_known", "added"), [(True, 5), (False, 3)])
def test_invalidated_clips_come_only_where_soft_labels_say_what_is_right(
    sentences, tmp_path, is_known, added
):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.common_voice(rows[:3]) | laid_out.clips(rows, "en/clips")
    files["en/invalidated.tsv"] = laid_out.common_voice(rows[3:])["en/validated.tsv"]
    soft = laid_out.soft_labels(rows) if is_known else {}
    source = laid_out.write(files | soft, tmp_path / "it")
    assert f"{added} added" in taken(source, sentences, "CC-BY-4.0", "common-voice")
