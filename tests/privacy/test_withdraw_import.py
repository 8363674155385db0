"""People whose clips were imported can be withdrawn by the importer, one speaker or a whole collection."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts import contributors
from accounts.models import Consent
from accounts.refusals import Refusal, in_words
from datasets.clips import imports
from datasets.clips.wording import WORDS
from datasets.models import Clip, Withdrawal
from tagger.privacy import tasks, withdrawal
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant

REFERENCE = "on paper, in the safe"
PEOPLE = ("ann", "bob", "", "bob:2")


@pytest.fixture
def take(juniper, tmp_path):
    """Imports one clip of each speaker into a collection; returns their outcomes."""

    def taken(collection, *speakers):
        run = imports.ImportRun(juniper, collection, REFERENCE, NOW, licence="MIT")
        outcomes = []
        for speaker in speakers:
            number = len(list(tmp_path.iterdir()))
            path = tmp_path / f"{number}.wav"
            path.write_bytes(sounds.in_format("wav", sounds.tone(0.4, hertz=300 + 37 * number)))
            [(_, outcome)] = run.store_all([imports.ImportItem(path.name, path, speaker=speaker)])
            outcomes.append(in_words(outcome, WORDS) if isinstance(outcome, Refusal) else str(outcome))
        return outcomes

    return taken


def withdraw(collection, *who):
    output = StringIO()
    call_command("withdraw_import", "--contributor", collection, *who, stdout=output)
    return output.getvalue()


def usable():
    """The people whose clips can still be used, as collection or collection:speaker."""
    live = Clip.objects.filter(withdrawal=None, contributor__in=Consent.objects.live().values("contributor"))
    return sorted(clip.contributor.pseudonym.removeprefix("import:") for clip in live)


def scrubbed():
    for request in Withdrawal.objects.filter(finished_at=None):
        withdrawal.scrub(request, lambda: NOW)


@mutant(
    "no import brings back a person who withdrew",
    "datasets/clips/imports.py",
    kept_by="                if consent.has_withdrawn(person):\n",
    broken="                if False:\n",
)
@pytest.mark.django_db(transaction=True)
def test_one_speaker_is_withdrawn_immediately_with_a_receipt_and_no_import_brings_them_back(take, own_home):
    take("pilot", *PEOPLE)
    output = withdraw("pilot", "--speaker", "bob")
    assert usable() == ["pilot", "pilot:ann", "pilot:bob:2"]
    scrubbed()
    [token] = re.findall(r"bob: http://\S+/receipts/erasure/([^/]+)/", output)
    receipt = withdrawal.receipt(token)
    assert receipt["finished_at"] and receipt["erased"]["clips"] == 1
    assert "1 withdrawn, 0 had already withdrawn." in output
    assert take("pilot", "bob") == ["this contributor withdrew; an import cannot bring them back"]
    assert "0 withdrawn, 1 had already withdrawn." in withdraw("pilot", "--speaker", "bob")


@pytest.mark.django_db(transaction=True)
def test_a_whole_collection_is_withdrawn_and_no_other_is_touched(take, own_home):
    take("pilot", *PEOPLE)
    take("pilot:bob", "", "carl")
    take("pilots", "ann")
    withdraw("pilot", "--speaker", "ann")
    assert "3 withdrawn, 1 had already withdrawn." in withdraw("pilot", "--everybody")
    assert usable() == ["pilot:bob", "pilot:bob:carl", "pilots:ann"]
    scrubbed()
    assert Clip.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_each_erasure_is_queued(take, own_home, monkeypatch):
    take("pilot", "ann", "bob")
    queued = []
    monkeypatch.setattr(tasks.scrub, "delay", queued.append)
    monkeypatch.setattr(tasks.scrub, "delay_on_commit", queued.append)
    withdraw("pilot", "--everybody")
    assert queued == list(Withdrawal.objects.order_by("pk").values_list("pk", flat=True))
    assert len(queued) == 2


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (("--speaker", "zoe"), "The collection pilot has no speaker zoe."),
        (("--everybody",), "The collection pilot has no speakers."),
        ((), "one of the arguments --speaker --everybody is required"),
        (("--speaker", "ann", "--everybody"), "not allowed with argument"),
    ],
)
def test_an_unknown_speaker_or_collection_is_named(db, who, words):
    with pytest.raises(CommandError, match=words):
        withdraw("pilot", *who)


def test_a_person_who_is_just_being_erased_does_not_stop_the_listing(take, juniper):
    take("pilot", "ann", "bob")
    contributors.find("pilot", "ann").data_key.delete()
    assert [speaker for speaker, _person in contributors.in_collection("pilot")] == ["bob"]
