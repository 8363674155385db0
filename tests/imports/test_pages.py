"""An owner brings clips in the browser, also without a script; nobody else sees the pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from datasets.clips.sources import BadSource
from datasets.imports import running, tasks
from datasets.models import Clip, Import, ImportFile
from tagger.imports import withdrawing
from tests.conftest import NOW
from tests.support.mutants import mutant

from .conftest import COLLECTION, REFERENCE, run_to_the_end, sound, start

FORM = {"collection": COLLECTION, "reference": REFERENCE, "licence": "CC-BY-4.0", "audience": "researchers"}


@pytest.fixture
def as_owner(client, owner, monkeypatch):
    monkeypatch.setattr(tasks.proceed, "delay_on_commit", lambda: None)
    client.force_login(owner)
    return client


def page(run, name="campaign_import"):
    return reverse(name, args=["juniper", run.pk])


def upload(name, body):
    return SimpleUploadedFile(name, body)


def test_a_few_files_come_in_without_a_script(as_owner, juniper):
    made = as_owner.post(reverse("campaign_imports", args=["juniper"]), FORM)
    run = Import.objects.get()
    assert made.url == page(run) and not run.is_public and run.licence == "CC-BY-4.0"
    table = upload("liste.csv", b"Datei;Wer\na.wav;ann\n")
    as_owner.post(page(run, "send_import_files"), {"files": [upload("a.wav", sound(1)), table]})
    shown = as_owner.get(page(run)).content.decode()
    assert "Start the import" in shown and "Datei" in shown and "ann" in shown
    wanted = {
        "reading": "columns:liste.csv",
        "shown": "columns:liste.csv",
        "column-0": "path",
        "column-1": "speaker",
    }
    assert as_owner.post(page(run, "start_import"), wanted).url == page(run)
    assert run_to_the_end(run)["added"] == 1
    assert Clip.objects.get().contributor.pseudonym == f"import:{COLLECTION}:ann"
    assert "Undo this import" in as_owner.get(page(run)).content.decode()


@pytest.mark.parametrize(
    ("said", "licence", "public"),
    [
        ({"audience": "public"}, "CC-BY-4.0", True),
        ({"licence": "in-table"}, "", False),
        ({"licence": "other", "other_licence": "LicenseRef-ours"}, "LicenseRef-ours", False),
    ],
)
def test_licence_and_audience_are_as_they_were_said(as_owner, said, licence, public):
    as_owner.post(reverse("campaign_imports", args=["juniper"]), FORM | said)
    run = Import.objects.get()
    assert (run.licence, run.is_public) == (licence, public)


@pytest.mark.parametrize("missing", ["collection", "reference", "licence", "audience"])
def test_nothing_begins_before_all_is_said(as_owner, missing):
    shown = as_owner.post(reverse("campaign_imports", args=["juniper"]), FORM | {missing: ""})
    assert "Nothing was begun yet" in shown.content.decode() and not Import.objects.exists()


def test_a_broken_table_is_said_on_the_page_and_nothing_starts(as_owner, bring):
    run = bring({"a.wav": sound(1), "t.csv": b"path,size\na.wav\n"})
    with pytest.raises(BadSource):
        running.start(run, NOW)
    shown = as_owner.post(page(run, "start_import"), {"reading": "columns:t.csv"}).content.decode()
    assert "t.csv, line 2: fewer cells than columns." in shown
    run.refresh_from_db()
    assert run.state == "gathering"


def test_what_was_refused_is_a_page_and_a_csv(as_owner, bring):
    run = bring({"a.wav": sound(1), "=cmd().wav": b"nothing"})
    start(run)
    shown = as_owner.get(page(run)).content.decode()
    assert "=cmd().wav" in shown and "not an audio file that this site can read" in shown
    lines = as_owner.get(page(run, "refused_of_import")).content.decode("utf-8-sig").splitlines()
    assert lines[0] == "file,code,reason" and lines[1].startswith("'=cmd().wav,unknown-format,")


def test_undoing_asks_whether_one_is_sure(as_owner, bring):
    run = bring({"a.wav": sound(1)})
    start(run)
    as_owner.post(page(run, "undo_import"))
    run.refresh_from_db()
    assert run.state == "done"
    as_owner.post(page(run, "undo_import"), {"is_sure": "on"})
    withdrawing.undo_all(timezone.now)
    run.refresh_from_db()
    assert run.state == "undone" and not Clip.objects.filter(withdrawal=None).exists()
    assert "undone" in as_owner.get(page(run)).content.decode().lower()


def test_a_cancelled_import_says_so(as_owner, bring):
    run = bring({"a.wav": sound(1)})
    as_owner.post(page(run, "cancel_import"))
    run.refresh_from_db()
    assert run.state == "cancelled" and not ImportFile.objects.exists()
    assert "Cancelled" in as_owner.get(page(run)).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_person_is_withdrawn_with_the_address_of_their_receipt(as_owner, bring):
    start(bring({"a.wav": sound(1), "t.csv": b"path,speaker\na.wav,ann\n"}))
    here = reverse("withdraw_imported", args=["juniper"])
    said = {"withdraw-collection": COLLECTION, "withdraw-who": "one", "withdraw-speaker": "ann"}
    as_owner.post(here, said)
    assert Clip.objects.filter(withdrawal=None).exists()  # nobody said that they are sure
    shown = as_owner.post(here, said | {"withdraw-is_sure": "on"}).content.decode()
    assert "/receipts/erasure/" in shown and not Clip.objects.filter(withdrawal=None).exists()
    unknown = as_owner.post(
        here, said | {"withdraw-is_sure": "on", "withdraw-speaker": "bob"}
    ).content.decode()
    assert "Nobody was found" in unknown


@mutant(
    "an import's pages are its campaign's owner's alone",
    "tagger/imports/views.py",
    kept_by="    return get_object_or_404(campaign.imports.",
    broken="    return get_object_or_404(Import.objects.",
)
def test_an_import_of_another_campaign_has_no_page_here(as_owner, bring, sentences, olga):
    sentences.owner = olga
    sentences.save()
    run = bring({"a.wav": sound(1)})
    for name in ("campaign_import", "refused_of_import"):
        assert as_owner.get(reverse(name, args=["sentences", run.pk])).status_code == 404


def test_pages_of_anothers_campaign_are_not_there(as_owner, bring, sentences):
    run = bring({"a.wav": sound(1)}, campaign=sentences)
    assert as_owner.get(reverse("campaign_imports", args=["sentences"])).status_code == 404
    assert as_owner.get(reverse("campaign_import", args=["sentences", run.pk])).status_code == 404


def test_an_import_whose_owner_left_says_so(as_owner, bring, volunteers):
    run = bring({"a.wav": sound(1)}, owner=volunteers[0])
    Import.objects.filter(pk=run.pk).update(owner=None, wrapped_key=b"", sealed_about=b"")
    assert "the person who began it left" in as_owner.get(page(run)).content.decode()
    assert as_owner.get(page(run, "refused_of_import")).status_code == 200
