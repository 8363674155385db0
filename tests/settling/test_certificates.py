"""The certificate kept with a label recomputes it to the same bytes."""

import json
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from accounts.signing import canonical_json
from datasets import campaigns
from datasets.models import Annotation, Task
from tagger.learning import refit
from tagger.settling import certificates, engine, settlement, version
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
VOTES = {
    "juniper": ["yes", "no", "yes", "yes"],
    "sentences": ["turn on the lights", "turn on the lights", "turn of the lights"],
}


@pytest.fixture(params=VOTES)
def settled(request, add_tasks, volunteers):
    """One task with several answers, settled before the first refit."""
    campaign = request.getfixturevalue(request.param)
    [task] = add_tasks(campaign, 1)
    for person, answer in zip(volunteers, VOTES[request.param], strict=False):
        give(task, person, answer)
    settlement.settle(task.pk, NOW)
    return fresh(task)


def give(task, person, answer):
    Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=NOW)
    Task.objects.filter(pk=task.pk).update(annotation_count=F("annotation_count") + 1, dirty_since=NOW)


def fresh(task):
    return Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=task.pk)


def test_a_label_is_recomputed_to_the_same_bytes(settled):
    assert certificates.mismatch(settled) == ""


def test_it_holds_engine_rule_votes_and_confidence(settled):
    certificate = settled.certificate
    assert certificate["engine"] == version.VERSION and certificate["rule"] == {
        "least": 2,
        "most": 7,
        "confidence": 0.75,
    }
    assert certificate["votes"]["count"] == settled.annotation_count
    assert len(certificate["votes"]["sha256"]) == 64
    assert certificate["verdict"]["confidence"] == settled.confidence
    assert certificate["posterior"]


def test_it_holds_the_verdict_after_one_more_vote_against(settled):
    assert settled.certificate["one_more_against"]["confidence"] < settled.confidence


def test_it_is_recomputed_to_the_same_bytes_after_a_refit(settled):
    assert refit.refit(settled.campaign.kind, settled.campaign.language, NOW) == settled.annotation_count
    assert certificates.mismatch(fresh(settled)) == ""


def test_a_label_settled_after_a_refit_is_recomputed_to_the_same_bytes_too(settled):
    refit.refit(settled.campaign.kind, settled.campaign.language, NOW)
    before = settled.certificate
    settlement.settle(settled.pk, NOW)
    again = fresh(settled)
    assert canonical_json(again.certificate) != canonical_json(before)
    assert certificates.mismatch(again) == ""


@mutant(
    "a label holds the votes that it was made from",
    "tagger/settling/certificates.py",
    kept_by='    if _hash(given) != stored["votes"]["sha256"]:\n',
    broken="    if False:\n",
)
def test_a_vote_that_was_changed_in_the_database_is_noticed(settled):
    given = settled.annotations.order_by("pk")[0]
    given.task = settled
    given.answer = "noise"
    given.save()
    assert certificates.mismatch(settled) == "its votes are not the ones that it was made from"


def test_a_label_that_was_changed_in_the_database_is_noticed(settled):
    settled.certificate = settled.certificate | {
        "verdict": {"outcome": "settled", "answer": "x", "confidence": 1}
    }
    assert certificates.mismatch(settled) == "its votes come to another verdict"


def test_it_names_no_one(settled, volunteers):
    # Without the hash of the votes, whose letters may spell a name by chance.
    written = json.dumps(settled.certificate).replace(settled.certificate["votes"]["sha256"], "")
    assert not any(person.pseudonym in written for person in volunteers)
    assert "annotator" not in written


def test_no_plain_certificate_holds_a_transcript(settled):
    if settled.campaign.asks_for_words:
        assert settled.plain_certificate == {} and settled.sealed_certificate
    else:
        assert settled.plain_certificate and not settled.sealed_certificate


def test_the_command_recomputes_every_label(settled, capsys):
    call_command("recompute")
    assert "1 labels recomputed, all byte for byte as stored" in capsys.readouterr().out
    Task.objects.filter(pk=settled.pk).update(plain_certificate={}, sealed_certificate=b"")
    with pytest.raises(CommandError, match=rf"task {settled.pk}: it has no certificate"):
        call_command("recompute")


@pytest.fixture
def in_turkish(add_tasks, volunteers):
    """Two people wrote the same, one of them in capitals, which only a Turkish reader sees."""
    campaign = campaigns.create(slug="turkish", kind="transcription", language="tr", needs_track_record=False)
    [task] = add_tasks(campaign, 1)
    for person, answer in zip(volunteers, ("IŞIKLARI AÇ", "ışıkları aç"), strict=False):
        give(task, person, answer)
    return task


def test_the_spelling_of_the_campaigns_language_counts(in_turkish):
    settlement.settle(in_turkish.pk, NOW)
    task = fresh(in_turkish)
    assert (task.status, task.answer, task.soft["words"][0]["agreement"]) == ("settled", "ışıkları aç", 1)
    assert certificates.mismatch(task) == ""
    refit.refit("transcription", "tr", NOW)
    settlement.settle(task.pk, NOW)
    assert fresh(task).answer == "ışıkları aç" and certificates.mismatch(fresh(task)) == ""


@mutant(
    "a label from before [private] was a word of its own is recomputed as it was",
    "tagger/consensus/transcripts.py",
    kept_by="texts_by_annotator(votes, crowd.spelling, crowd.normal_form)",
    broken="texts_by_annotator(votes, crowd.spelling)",
)
def test_a_label_from_before_private_was_a_word_of_its_own_is_recomputed_as_it_was(
    sentences, add_tasks, volunteers, monkeypatch
):
    [task] = add_tasks(sentences, 1)
    for person in volunteers[:2]:
        give(task, person, "[private] road")
    former = replace(engine.strangers("transcription", "en"), normal_form=2)
    with monkeypatch.context() as earlier:
        earlier.setattr(engine, "strangers", lambda kind, language: former)
        settlement.settle(task.pk, NOW)
    assert fresh(task).answer == "private road" and certificates.mismatch(fresh(task)) == ""
    settlement.settle(task.pk, NOW)
    assert fresh(task).answer == "[private] road" and certificates.mismatch(fresh(task)) == ""


@mutant(
    "a label from before spellings counted is recomputed as it was",
    "tagger/consensus/transcript_crowd.py",
    kept_by='data.get("normal_form", 1),',
    broken='data.get("normal_form", 2),',
)
def test_a_label_from_before_spellings_counted_is_recomputed_as_it_was(in_turkish, monkeypatch):
    former = replace(engine.strangers("transcription", "tr"), normal_form=1)
    with monkeypatch.context() as earlier:
        earlier.setattr(engine, "strangers", lambda kind, language: former)
        settlement.settle(in_turkish.pk, NOW)
    task = fresh(in_turkish)
    assert "normal_form" not in task.certificate["parameters"]
    assert task.soft["words"][0]["agreement"] == 0.5
    assert certificates.mismatch(task) == ""
