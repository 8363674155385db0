"""An owner brings archives of releases in the browser: their files as they are, or a tar of them."""

import pytest
from django.urls import reverse

from datasets.clips.sources import BadSource
from datasets.imports import parts, planning, report, running, unpacking
from datasets.imports.refusals import ImportRefused
from datasets.models import Clip, Import, ImportFile, ImportPart
from tests.conftest import NOW
from tests.support import laid_out
from tests.support.mutants import mutant

from .conftest import COLLECTION, run_to_the_end, sound, start, uploads
from .test_archives import LABELS, TEXTS, expected, known

FORMS = laid_out.OF_WORDS | laid_out.OF_LABELS
DONE = {"waiting": 0, "added": 5, "held": 0, "refused": 0}


def archive(form):
    """The rows, and the files that a browser sends of such an archive."""
    is_words = form in laid_out.OF_WORDS
    rows = laid_out.recorded(TEXTS if is_words else LABELS)
    return rows, FORMS[form](rows) | laid_out.soft_labels(rows, soft={"words": []} if is_words else {})


def said(rows):
    prefix = f"import:{COLLECTION}:secret-"
    return expected(rows, lambda row: row.text, lambda row: prefix + row.speaker, "CC-BY-4.0")


def refused(run):
    return {each.name: each.reason for each in report.refused(run)}


@pytest.mark.parametrize("form", FORMS)
def test_the_files_of_an_archive_come_with_what_it_says_of_them(bring, juniper, sentences, own_home, form):
    rows, files = archive(form)
    campaign = sentences if form in laid_out.OF_WORDS else juniper
    run = bring(files, campaign, licence="")
    shown = planning.preview(run)
    assert (str(shown.reading), len(shown.rows), shown.fault) == ("archive:", 5, None)
    assert start(run) == DONE
    assert known(campaign) == said(rows)
    assert not uploads(own_home) and not ImportPart.objects.exists()


@pytest.mark.parametrize("form", ["precise", "deepspeech", "parquet"])
def test_a_tar_of_an_archive_comes_as_well(bring, juniper, sentences, own_home, form):
    rows, files = archive(form)
    campaign = sentences if form in laid_out.OF_WORDS else juniper
    run = bring({"spring.tar": laid_out.tar(files)}, campaign, licence="")
    assert start(run) == DONE
    assert known(campaign) == said(rows) and not uploads(own_home)


def test_shards_of_others_come_with_what_is_beside_each_sound(bring, sentences):
    rows = laid_out.recorded(TEXTS)
    assert start(bring(laid_out.webdataset(rows), sentences)) == DONE
    assert {each[0] for each in known(sentences).values()} == set(TEXTS)


@pytest.mark.parametrize("form", ["parquet", "webdataset", "lhotse-shar"])
def test_a_file_that_is_cut_off_is_refused_before_anything_is_added(bring, sentences, form):
    _, files = archive(form)
    name = next(name for name in files if name.endswith((".parquet", ".tar")))
    files[name] = files[name][: len(files[name]) // 2]
    run = bring(files, sentences)
    with pytest.raises(BadSource, match="archive-broken"):
        start(run)
    assert planning.preview(run).fault.code == "archive-broken"
    assert Import.objects.get().state == "gathering" and not Clip.objects.exists()


def test_what_is_broken_in_the_middle_is_named_and_what_was_before_it_is_added(bring, sentences, monkeypatch):
    _, files = archive("webdataset")
    run = bring(files, sentences)
    running.start(run, NOW)
    whole = planning.archives.Archive.items

    def items(self, *asked, **options):
        for number, item in enumerate(whole(self, *asked, **options)):
            if number == 3:
                raise BadSource("archive-broken", path="train-0000.tar", error="checksum")
            yield item

    monkeypatch.setattr(planning.archives.Archive, "items", items)
    assert run_to_the_end(run) == DONE | {"added": 3, "refused": 1}
    assert refused(run) == {"train-0000.tar": "train-0000.tar is damaged or incomplete: checksum."}


def test_an_archive_without_sound_is_refused_with_words(bring, sentences):
    run = bring(laid_out.soft_labels(laid_out.recorded(TEXTS)), sentences)
    with pytest.raises(BadSource, match="archive-without-sound"):
        start(run)


def test_recordings_that_an_archive_does_not_name_are_refused(bring, sentences):
    _, files = archive("parquet")
    run = bring(files | {"more.wav": sound(9)}, sentences)
    assert start(run) == DONE | {"refused": 1}
    assert refused(run) == {"more.wav": "no row of the table names it"}


def test_an_archive_under_another_licence_than_was_said_is_refused(bring, sentences):
    _, files = archive("deepspeech")
    files["LICENSE.txt"] = b"SPDX-License-Identifier: CC-BY-SA-4.0\n"
    with pytest.raises(BadSource, match="archive-of-another-licence"):
        start(bring({"spring.tar": laid_out.tar(files)}, sentences, licence="MIT"))


def test_an_archive_that_names_no_licence_is_refused(bring, sentences):
    rows = laid_out.recorded(TEXTS)
    files = laid_out.parquet(rows) | laid_out.soft_labels(rows, licence="")
    with pytest.raises(ImportRefused, match="import-without-licence"):
        start(bring(files, sentences, licence=""))


@mutant(
    "an archive that is unpacked twice adds nothing twice",
    "datasets/imports/unpacking.py",
    kept_by='sealing.mark(key, "unpacked", self.item.name)',
    broken='sealing.mark(key, "unpacked", str(id(self)))',
)
def test_unpacking_that_was_killed_goes_on(bring, sentences, own_home, monkeypatch):
    _, files = archive("parquet")
    run = bring(files, sentences)
    running.start(run, NOW)
    monkeypatch.setattr(unpacking, "BATCH_FILES", 2)
    put_all = parts.put_all

    def full(key, some):
        put_all(key, some)
        if ImportFile.objects.filter(kind="sound").count() > 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(parts, "put_all", full)
    with pytest.raises(OSError, match="No space"):
        run_to_the_end(run)
    assert ImportFile.objects.filter(kind="sound").count() == 2 and not Clip.objects.exists()
    monkeypatch.setattr(parts, "put_all", put_all)
    assert run_to_the_end(run) == DONE


def test_what_was_unpacked_waits_sealed_and_goes_when_the_import_is_cancelled(
    bring, sentences, own_home, monkeypatch
):
    rows, files = archive("parquet")
    run = bring(files, sentences)
    running.start(run, NOW)
    running.proceed(lambda: NOW, lambda: False)  # time for nothing but the plan
    waiting = uploads(own_home)
    assert len(waiting) == len(rows)
    assert not any(row.sound[60:100] in path.read_bytes() for row in rows for path in waiting)
    running.ending.cancel(run, NOW)
    assert not uploads(own_home) and not Clip.objects.exists()


def test_a_part_that_is_lost_is_said(bring, sentences, own_home):
    _, files = archive("webdataset")
    run = bring(files, sentences)
    for path in uploads(own_home):
        path.unlink()
    assert planning.preview(run).fault.code == "source-missing"


def test_the_page_takes_archives_and_starts_what_has_no_file_for_each_sound(bring, client, owner, sentences):
    sentences.owner = owner
    sentences.save()
    run = bring(archive("parquet")[1], sentences)
    client.force_login(owner)
    shown = client.get(reverse("campaign_import", args=["sentences", run.pk])).content.decode()
    assert all(ending in shown for ending in (".parquet .tar .jsonl.gz", "an archive of a release, or files"))
    assert '<button class="primary">Start the import</button>' in shown and "qué día" in shown
