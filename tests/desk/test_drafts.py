"""Machine drafts: stored if the campaign offers them, shown to one volunteer who asks, never a vote."""

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
DRAFT = "turn on the lice"


@pytest.fixture
def drafted(db):
    return campaigns.create(
        slug="drafted",
        kind="transcription",
        language="en",
        min_annotations=2,
        drafts_by=MACHINE,
        needs_track_record=False,
    )


@pytest.fixture
def import_drafts(tmp_path):
    """Imports one clip for each of these drafts into a campaign."""

    def take(campaign, *words, column="draft"):
        for n in range(len(words)):
            tone = sounds.tone(0.4, hertz=400 + 50 * n)
            (tmp_path / f"{n}.wav").write_bytes(sounds.in_format("wav", tone))
        with open(tmp_path / "clips.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", column])
            writer.writerows([f"{n}.wav", word] for n, word in enumerate(words))
        options = {"campaign": campaign.slug, "contributor": "x", "consent_reference": "on paper"}
        call_command("import_clips", tmp_path / "clips.csv", **options, licence="MIT", verbosity=0)
        return list(Task.objects.filter(campaign=campaign).order_by("clip__samples_hash"))

    return take


@pytest.fixture
def task(drafted, import_drafts):
    return import_drafts(drafted, DRAFT)[0]


@pytest.fixture
def lent(task, volunteers):
    """The same clip lent to two volunteers."""
    return [assignments.lend(person, task.campaign, 1, NOW)[0] for person in volunteers[:2]]


def ask(person, assignment):
    client = Client()
    client.force_login(person)
    return client.get(f"/api/v1/assignments/{assignment.pk}/draft/")


def test_a_draft_is_imported_with_its_clip_and_stored_encrypted(task):
    assert task.draft == DRAFT
    assert task.plain_draft == "" and b"lice" not in bytes(task.sealed_draft)
    assert task.annotation_count == 0


def test_many_clips_keep_their_own_drafts(drafted, import_drafts):
    """Enough clips that the import stores some in batches instead of one by one."""
    words = [f"draft number {n}" for n in range(40)]
    assert sorted(task.draft for task in import_drafts(drafted, *words)) == sorted(words)


def test_an_invalid_draft_is_refused_and_the_next_row_is_imported(drafted, import_drafts, capsys):
    [task] = import_drafts(drafted, "la " * 301, DRAFT)
    assert task.draft == DRAFT
    assert "draft has 301 words, at most 300 are accepted." in "".join(capsys.readouterr())


def test_a_campaign_without_drafts_stores_none(sentences, import_drafts):
    [task] = import_drafts(sentences, DRAFT)
    assert (task.draft, bytes(task.sealed_draft)) == ("", b"")


def test_a_wake_word_campaign_has_no_drafts(db):
    with pytest.raises(CommandError, match="Only a transcription campaign has drafts"):
        call_command(
            "create_campaign", "w", kind="wake-word", language="en", wake_word="hey", drafts_by=MACHINE
        )


def test_a_clip_without_a_draft_has_none_to_show(drafted, import_drafts, bea):
    import_drafts(drafted, "")
    [assignment] = assignments.lend(bea, drafted, 1, NOW)
    assert drafts.show(bea, assignment.pk, NOW) == ""
    assert not Assignment.objects.get().saw_draft


def test_a_volunteer_who_asks_is_shown_the_draft_and_that_is_recorded(lent, volunteers, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    answer = ask(volunteers[0], lent[0])
    assert (answer.status_code, answer.json(), answer["Cache-Control"]) == (
        200,
        {"draft": DRAFT},
        "no-store",
    )
    assert list(Assignment.objects.order_by("pk").values_list("saw_draft", flat=True)) == [True, False]
    assert ask(volunteers[0], lent[0]).json() == {"draft": DRAFT}


@mutant(
    "only one volunteer per clip is shown the machine's draft",
    "tagger/desk/drafts.py",
    kept_by=" or shown.exists():",
    broken=":",
)
def test_only_one_volunteer_per_clip_is_shown_the_draft(lent, volunteers):
    assert drafts.show(volunteers[0], lent[0].pk, NOW) == DRAFT
    assert drafts.show(volunteers[1], lent[1].pk, NOW) == ""
    assert not Assignment.objects.get(pk=lent[1].pk).saw_draft


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_concurrent_requests_is_shown_the_draft(lent, volunteers, run_together):
    pairs = list(zip(volunteers[:2], lent, strict=True))
    shown = run_together(*[lambda pair=pair: drafts.show(pair[0], pair[1].pk, NOW) for pair in pairs])
    assert sorted(shown) == ["", DRAFT]


def test_only_the_volunteer_to_whom_the_clip_is_lent_may_ask(lent, volunteers):
    assert ask(volunteers[2], lent[0]).status_code == 404


def test_the_draft_of_a_hidden_clip_is_not_shown(lent, volunteers):
    Clip.objects.update(hidden_at=NOW)
    with refused(AnswerRefusal.CLIP_GONE):
        drafts.show(volunteers[0], lent[0].pk, NOW)


def test_a_campaign_that_stops_offering_drafts_shows_none(lent, volunteers, drafted):
    drafted.drafts_by = ""
    drafted.save()
    assert drafts.show(volunteers[0], lent[0].pk, NOW) == ""


@pytest.mark.django_db(transaction=True)
def test_a_draft_is_shown_to_no_second_volunteer_after_the_first_has_left(lent, volunteers):
    assert drafts.show(volunteers[0], lent[0].pk, NOW) == DRAFT
    asked_to_leave = withdrawal.forget_account(volunteers[0], True, NOW)
    withdrawal.scrub(Withdrawal.objects.get(pk=asked_to_leave.withdrawal), lambda: NOW)
    assert drafts.show(volunteers[1], lent[1].pk, NOW) == ""
