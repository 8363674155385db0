"""What a machine wrote down: kept where a campaign offers it, shown to one who asks, never a vote."""

import csv

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from datasets import campaigns
from datasets.models import Clip, Task, Withdrawal
from tagger.desk import drafts
from tagger.lending import assignments
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Assignment
from tagger.privacy import withdrawal
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.refused import refused

MACHINE = "a small model"
WRITTEN = "turn on the lice"


@pytest.fixture
def drafted(db):
    return campaigns.create(
        slug="drafted", kind="transcription", language="en", min_annotations=2, drafts_by=MACHINE
    )


@pytest.fixture
def bring_in(tmp_path):
    """Imports clips with these drafts into a campaign; how many rows the manifest has does not matter."""

    def take(campaign, *words, column="draft"):
        for n in range(len(words)):
            tone = sounds.tone(0.4, hertz=400 + 50 * n)
            (tmp_path / f"{n}.wav").write_bytes(sounds.in_format("wav", tone))
        with open(tmp_path / "clips.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", column])
            writer.writerows([f"{n}.wav", word] for n, word in enumerate(words))
        options = {"campaign": campaign.slug, "contributor": "x", "consent_reference": "on paper"}
        call_command("import_clips", tmp_path / "clips.csv", **options, verbosity=0)
        return list(Task.objects.filter(campaign=campaign).order_by("clip__samples_sha256"))

    return take


@pytest.fixture
def task(drafted, bring_in):
    return bring_in(drafted, WRITTEN)[0]


@pytest.fixture
def lent(task, volunteers):
    """The same clip in the hands of two volunteers."""
    return [assignments.lend(person, task.campaign, 1, NOW)[0] for person in volunteers[:2]]


def asked(person, assignment):
    client = Client()
    client.force_login(person)
    return client.get(f"/api/v1/assignments/{assignment.pk}/draft/")


def test_a_draft_comes_with_its_clip_and_is_sealed(task):
    assert task.draft == WRITTEN
    assert task.plain_draft == "" and b"lice" not in bytes(task.sealed_draft)
    assert task.annotation_count == 0


def test_of_many_clips_each_keeps_its_own(drafted, bring_in):
    """As many as come in batches, and not one by one."""
    words = [f"draft number {n}" for n in range(40)]
    assert sorted(task.draft for task in bring_in(drafted, *words)) == sorted(words)


def test_what_could_not_be_handed_in_is_no_draft_and_its_neighbour_comes_in(drafted, bring_in, capsys):
    [task] = bring_in(drafted, "la " * 301, WRITTEN)
    assert task.draft == WRITTEN
    assert "draft has 301 words, at most 300 are taken." in "".join(capsys.readouterr())


def test_a_campaign_that_offers_none_keeps_none(sentences, bring_in):
    [task] = bring_in(sentences, WRITTEN)
    assert (task.draft, bytes(task.sealed_draft)) == ("", b"")


def test_a_wake_word_campaign_has_no_drafts(db):
    with pytest.raises(CommandError, match="Only a transcription campaign has drafts"):
        call_command(
            "create_campaign", "w", kind="wake-word", language="en", wake_word="hey", drafts_by=MACHINE
        )


def test_a_clip_without_a_draft_is_none(drafted, bring_in, bea):
    bring_in(drafted, "")
    [assignment] = assignments.lend(bea, drafted, 1, NOW)
    assert drafts.show(bea, assignment.pk, NOW) == ""
    assert not Assignment.objects.get().saw_draft


def test_whoever_asks_is_shown_it_and_that_is_kept(lent, volunteers, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    answer = asked(volunteers[0], lent[0])
    assert (answer.status_code, answer.json(), answer["Cache-Control"]) == (
        200,
        {"draft": WRITTEN},
        "no-store",
    )
    assert list(Assignment.objects.order_by("pk").values_list("saw_draft", flat=True)) == [True, False]
    assert asked(volunteers[0], lent[0]).json() == {"draft": WRITTEN}


@mutant(
    "of those who answer a clip one alone is shown the machine's draft",
    "tagger/desk/drafts.py",
    kept_by=" or shown.exists():",
    broken=":",
)
def test_one_volunteer_of_each_clip_is_shown_it(lent, volunteers):
    assert drafts.show(volunteers[0], lent[0].pk, NOW) == WRITTEN
    assert drafts.show(volunteers[1], lent[1].pk, NOW) == ""
    assert not Assignment.objects.get(pk=lent[1].pk).saw_draft


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_one_is_shown_it(lent, volunteers, at_once):
    pairs = list(zip(volunteers[:2], lent, strict=True))
    shown = at_once(*[lambda pair=pair: drafts.show(pair[0], pair[1].pk, NOW) for pair in pairs])
    assert sorted(shown) == ["", WRITTEN]


def test_nobody_else_may_ask(lent, volunteers):
    assert asked(volunteers[2], lent[0]).status_code == 404


def test_what_was_withdrawn_is_shown_no_more(lent, volunteers):
    Clip.objects.update(hidden_at=NOW)
    with refused(AnswerRefusal.CLIP_GONE):
        drafts.show(volunteers[0], lent[0].pk, NOW)


def test_a_campaign_that_stops_offering_shows_none(lent, volunteers, drafted):
    drafted.drafts_by = ""
    drafted.save()
    assert drafts.show(volunteers[0], lent[0].pk, NOW) == ""


@pytest.mark.django_db(transaction=True)
def test_whoever_was_shown_it_and_left_takes_it_along(lent, volunteers):
    assert drafts.show(volunteers[0], lent[0].pk, NOW) == WRITTEN
    asked_to_leave = withdrawal.forget_account(volunteers[0], True, NOW)
    withdrawal.scrub(Withdrawal.objects.get(pk=asked_to_leave.withdrawal), lambda: NOW)
    assert drafts.show(volunteers[1], lent[1].pk, NOW) == ""
