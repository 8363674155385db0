"""The owner's list of clips: what filters find, in bounded statements, and what an owner hears and reads."""

import csv
import io
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import consent
from accounts.models import Material, ProgramToken, Purpose, Scope
from accounts.quarters import name as quarter_of
from datasets.clips import vault
from datasets.models import Annotation, Clip, Task
from tagger.explorer import rows, selection
from tagger.explorer.filter_form import FilterForm
from tagger.models import Report
from tagger.settling import version
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


def page(campaign, **filters):
    return reverse("campaign_clips", args=[campaign.slug], query=filters)


def all_found(campaign, filters, number=selection.PAGE):
    """What a filter finds on all of its pages, as tasks."""
    form = FilterForm(filters, campaign)
    assert form.is_valid(), form.errors
    below, found = None, []
    while True:
        part = selection.find(form.selection(), below, number)
        found += part.ids
        if part.below is None:
            return found
        assert below is None or part.below < below
        below = part.below


# --- numbers --------------------------------------------------------------------------------------


@pytest.fixture
def many(hers, add_tasks, volunteers, sam):
    """Makes so many tasks with all kinds of values, and answers and reports of some."""

    def make(number):
        dice = Random(7)
        consents = {purpose: sam for purpose in (Purpose.VOLUNTEERS,)}
        consent.give(sam, Material.WAKE_WORD, consents, NOW, reference="on paper")
        tasks = add_tasks(hers, number // 2) + add_tasks(hers, number - number // 2, sam)
        for task in tasks:
            given = dice.randrange(4)
            task.status = dice.choice(Task.Status.values)
            task.plain_answer = dice.choice(["yes", "no", "similar", "noise"])
            task.confidence = dice.choice([None, 0, 0.25, 0.5, 0.93, 1])
            task.annotation_count = given
            clip = task.clip
            clip.seconds, clip.speech_share = dice.choice([0.5, 1, 2.5, 7]), dice.choice([0, 0.5, 0.9, 1])
            clip.source = dice.choice(Clip.Source.values)
            clip.created_at = datetime(2026, dice.randint(1, 12), dice.randint(1, 28), 23, tzinfo=UTC)
            clip.hidden_at = NOW if dice.random() < 0.1 else None
        Clip.objects.bulk_update(
            [task.clip for task in tasks], ["seconds", "speech_share", "source", "created_at", "hidden_at"]
        )
        Task.objects.bulk_update(tasks, ["status", "plain_answer", "confidence", "annotation_count"])
        Annotation.objects.bulk_create(
            Annotation(task=task, annotator=person, plain_answer="yes", created_at=NOW)
            for task in tasks
            for person in volunteers[: task.annotation_count]
        )
        Report.objects.bulk_create(
            Report(clip=task.clip, campaign=hers, reporter=volunteers[5], reason="audio", at=NOW)
            for task in tasks
            if task.clip.hidden_at or dice.random() < 0.1
        )
        return list(Task.objects.select_related("clip").order_by("-pk"))

    return make


def shown_state(task):
    return "hidden" if task.clip.hidden_at else task.status


FILTERS = {
    "": lambda task: True,
    "status=open": lambda task: shown_state(task) == "open",
    "status=settled": lambda task: shown_state(task) == "settled",
    "status=disputed": lambda task: shown_state(task) == "disputed",
    "status=unusable": lambda task: shown_state(task) == "unusable",
    "status=hidden": lambda task: shown_state(task) == "hidden",
    "answer=similar": lambda task: task.plain_answer == "similar",
    "confidence_from=0.5": lambda task: task.confidence is not None and task.confidence >= 0.5,
    "confidence_from=0&confidence_to=0.5": lambda task: task.confidence in (0, 0.25),
    "confidence_from=0.93&confidence_to=1": lambda task: task.confidence in (0.93, 1),
    "seconds_from=1&seconds_to=7": lambda task: task.clip.seconds in (1, 2.5),
    "speech_from=0.5&speech_to=0.9": lambda task: task.clip.speech_share == 0.5,
    "speech_from=0.9&speech_to=1": lambda task: task.clip.speech_share >= 0.9,
    "source=device": lambda task: task.clip.source == "device",
    "quarter=2026-Q2": lambda task: quarter_of(task.clip.created_at) == "2026-Q2",
    "quarter=2026-Q4": lambda task: quarter_of(task.clip.created_at) == "2026-Q4",
    "votes_from=1&votes_to=2": lambda task: task.annotation_count in (1, 2),
    "reported=1": lambda task: Report.objects.filter(clip=task.clip_id).exists(),
    "status=settled&answer=yes&seconds_to=1": lambda task: (
        (shown_state(task), task.plain_answer, task.clip.seconds) == ("settled", "yes", 0.5)
    ),
}


def as_dict(query):
    return dict(part.split("=") for part in query.split("&")) if query else {}


@pytest.mark.parametrize("number", [10, 1_000])
@pytest.mark.parametrize("window", [selection.WINDOW, 40])
def test_each_filter_finds_what_an_independent_count_finds(
    hers, many, volunteers, sam, monkeypatch, number, window
):
    """Also where only few tasks are read at a time."""
    tasks = many(number)
    monkeypatch.setattr(selection, "WINDOW", window)
    monkeypatch.setattr(selection, "FEW", window)
    for query, fits in FILTERS.items():
        assert all_found(hers, as_dict(query)) == [task.pk for task in tasks if fits(task)], query
    of_sam = [task.pk for task in tasks if task.clip.contributor_id == sam.pk]
    assert all_found(hers, {"contributor": sam.pk}) == of_sam
    by_carl = [task.pk for task in tasks if task.annotation_count > 1]
    assert all_found(hers, {"answered_by": volunteers[1].pk}) == by_carl


def test_no_clip_of_another_campaign_is_found(hers, texts, add_tasks):
    add_tasks(texts, 3)
    [own] = add_tasks(hers, 1)
    assert all_found(hers, {}) == [own.pk]


@pytest.mark.parametrize("query", ["", "status=settled", "answer=yes", "reported=1"])
def test_a_page_takes_as_many_statements_at_30_as_at_1000(as_olga, hers, many, query):
    counts = []
    for number in (30, 970):
        many(number)
        with CaptureQueriesContext(connection) as captured:
            assert as_olga.get(page(hers, **as_dict(query))).context["rows"]
        counts.append(len(captured))
    assert counts[1] <= counts[0] + 1 and counts[1] <= 30


def test_a_page_reads_a_bounded_number_of_tasks(hers, many, monkeypatch):
    many(200)
    monkeypatch.setattr(selection, "WINDOW", 40)
    monkeypatch.setattr(selection, "FEW", 40)
    form = FilterForm({"seconds_from": "80000"}, hers)
    assert form.is_valid()
    found = selection.find(form.selection(), None)
    assert found.is_cut and not found.ids
    newest = Task.objects.order_by("-pk").values_list("pk", flat=True)
    assert len([pk for pk in newest if pk >= found.below]) <= 40


# --- pages ----------------------------------------------------------------------------------------


def test_pages_follow_each_other_by_position(as_olga, hers, add_tasks):
    tasks = add_tasks(hers, 60)
    address, seen = page(hers), []
    while address:
        answered = as_olga.get(address)
        seen += [row.task.pk for row in answered.context["rows"]]
        below = answered.context["found"].below
        address = below and page(hers, below=below)
    assert seen == [task.pk for task in reversed(tasks)]


BAD = {
    "status": "gone",
    "answer": "perhaps",
    "confidence_from": "2",
    "confidence_to": "much",
    "seconds_from": "-1",
    "seconds_to": "NaN",
    "speech_to": "1e400",
    "source": "moon",
    "contributor": "alice",
    "answered_by": "99999999999999999999",
    "quarter": "2026-Q5",
    "votes_from": "1.5",
    "votes_to": "\u0661\u00b2",
    "reported": "2",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_named_beside_its_field(as_olga, hers, add_tasks, name):
    add_tasks(hers, 1)
    answered = as_olga.get(page(hers, **{name: BAD[name]}))
    assert answered.status_code == 400
    form = answered.context["form"]
    assert list(form.errors) == [name] and str(form[name].errors) in answered.content.decode()
    assert answered.context["rows"] == []
    assert as_olga.get(f"/api/v1/campaigns/juniper/clips/?{name}={BAD[name]}").status_code == 400


@pytest.mark.parametrize("below", ["-1", "x", "9" * 30, "²"])
def test_a_place_that_is_none_is_the_first_page(as_olga, hers, add_tasks, below):
    add_tasks(hers, 1)
    assert len(as_olga.get(page(hers, below=below)).context["rows"]) == 1


def test_transcripts_cannot_be_searched(as_olga, texts):
    answered = as_olga.get(page(texts, answer="yes"))
    assert answered.status_code == 400 and "sealed" in answered.content.decode()


@mutant(
    "the clips of a campaign are its owner's alone",
    "datasets/owners.py",
    kept_by="    return get_object_or_404(owned_by(person), slug=slug)\n",
    broken="    return get_object_or_404(Campaign, slug=slug)\n",
)
def test_another_owners_clips_do_not_exist(client, otto, hers, share, answer):
    task = share(hers)
    answer(task, "yes", "yes")
    client.force_login(otto)
    at = [hers.slug, task.clip_id]
    for address in (
        page(hers),
        reverse("campaign_clips_table", args=[hers.slug]),
        reverse("campaign_clip", args=at),
        reverse("campaign_clip_audio", args=at),
        reverse("campaign_people", args=[hers.slug]),
        "/api/v1/campaigns/juniper/clips/",
        "/api/v1/campaigns/juniper/people/",
    ):
        assert client.get(address).status_code == 404, address


def test_without_the_role_there_is_no_page(client, bea, hers):
    client.force_login(bea)
    assert client.get(page(hers)).status_code == 403


# --- what an owner hears and reads ----------------------------------------------------------------


def sound_of(task):
    return reverse("campaign_clip_audio", args=[task.campaign.slug, task.clip_id])


def one(task):
    return reverse("campaign_clip", args=[task.campaign.slug, task.clip_id])


def test_an_owner_hears_a_clip_as_volunteers_do_and_nothing_stores_it(as_olga, olga, hers, share):
    task = share(hers)
    heard = as_olga.get(sound_of(task))
    assert heard.status_code == 200 and heard["Cache-Control"] == "no-store"
    assert heard.content == vault.get(task.clip)
    assert olga.audit_events.get(act="heard").about == f"clip {task.clip_id}"
    assert as_olga.get(sound_of(task), headers={"Range": "bytes=0-3"}).content == b"RIFF"


def hide(task):
    Clip.objects.filter(pk=task.clip_id).update(hidden_at=NOW)


def withdraw(task):
    consent.withdraw(task.clip.contributor, NOW)


def hold(task):
    Clip.objects.filter(pk=task.clip_id).update(held_until=datetime.now(UTC) + timedelta(days=1))


@mutant(
    "an owner hears only what volunteers may hear now",
    "tagger/explorer/views.py",
    kept_by="    if not Task.objects.filter(pk=task.pk).live_for(Purpose.VOLUNTEERS).exists():\n",
    broken="    if not Task.objects.filter(pk=task.pk).exists():\n",
)
@pytest.mark.parametrize("gone", [hide, withdraw, hold])
def test_what_volunteers_may_not_hear_is_not_heard(as_olga, hers, share, gone):
    task = share(hers)
    gone(task)
    assert as_olga.get(sound_of(task)).status_code == 404


@mutant(
    "an owner reads no words of a clip that volunteers may not hear",
    "tagger/explorer/rows.py",
    kept_by="    shown = [task for task in tasks if task.pk in live]\n",
    broken="    shown = tasks\n",
)
@pytest.mark.parametrize("gone", [hide, withdraw, hold])
def test_no_words_of_what_volunteers_may_not_hear_are_shown(as_olga, texts, share, answer, gone):
    task = answer(share(texts), "turn on the lights", "turn on the lights")
    table = reverse("campaign_clips_table", args=[texts.slug])
    addresses = (page(texts), one(task), "/api/v1/campaigns/sentences/clips/", table)
    told = {address: text_of(as_olga.get(address)) for address in addresses}
    assert all("turn on the lights" in text for text in told.values())
    gone(task)
    for address in addresses:
        text = text_of(as_olga.get(address))
        assert "lights" not in text and sound_of(task) not in text, address


def text_of(answered):
    return b"".join(answered).decode()


def test_a_hidden_clip_is_listed_as_hidden(as_olga, hers, share):
    task = share(hers)
    hide(task)
    [row] = as_olga.get(page(hers)).context["rows"]
    assert row.is_hidden and not row.is_live and row.votes == []
    assert "nothing of what is said in it is shown" in as_olga.get(one(task)).content.decode()


def test_the_answers_and_the_certificate_are_told_in_words(as_olga, hers, share, answer, volunteers):
    task = answer(share(hers), "yes", "yes", "no")
    text = as_olga.get(one(task)).content.decode()
    assert "It was made from 3 answers." in text and "at least 2 answers, at most 7" in text
    assert task.certificate["votes"]["sha256"][:12] in text
    assert all(f"volunteer {person.pk}" in text for person in volunteers[:3])
    assert not any(person.pseudonym in text for person in volunteers)
    [row] = as_olga.get(page(hers)).context["rows"]
    assert sorted(vote.answer for vote in row.votes) == ["no", "yes", "yes"]


def test_a_certificate_by_an_earlier_engine_is_said_to_be_one(as_olga, hers, share, answer, monkeypatch):
    task = answer(share(hers), "yes", "yes")
    text = as_olga.get(one(task)).content.decode()
    assert "to the byte" in text and "there is a later one" not in text
    made_by = version.VERSION
    monkeypatch.setattr(version, "VERSION", made_by + 1)
    text = as_olga.get(one(task)).content.decode()
    assert f"Version {made_by} of the engine made this, and there is a later one." in text
    assert "to the byte" not in text


# --- CSV and API ----------------------------------------------------------------------------------


def test_the_selection_is_downloaded_as_csv(as_olga, hers, many, monkeypatch):
    monkeypatch.setattr(rows, "BATCH_SIZE", 7)
    tasks = [task for task in many(40) if shown_state(task) == "settled"]
    answered = as_olga.get(reverse("campaign_clips_table", args=[hers.slug], query={"status": "settled"}))
    read = list(csv.DictReader(io.StringIO(text_of(answered))))
    assert [int(row["clip"]) for row in read] == [task.clip_id for task in tasks]
    for row, task in zip(read, tasks, strict=True):
        assert row["answer"] == task.plain_answer and float(row["seconds"]) == task.clip.seconds
        assert row["quarter"] == quarter_of(task.clip.created_at)
    assert "2026-0" not in str(read) and answered["Cache-Control"] == "no-store"


def test_no_transcript_is_a_formula(as_olga, texts, share, answer, monkeypatch):
    task = answer(share(texts), "one", "one")
    monkeypatch.setattr(rows, "as_dict", lambda row, told=rows.as_dict: told(row) | {"answer": "=1+1"})
    text = text_of(as_olga.get(reverse("campaign_clips_table", args=[texts.slug])))
    assert "'=1+1" in text and str(task.clip_id) in text


def test_a_program_reads_the_clips_with_a_token_for_managing(client, olga, hers, share, answer):
    task = answer(share(hers), "yes", "yes")
    token = ProgramToken.objects.create(olga, [Scope.MANAGE])[1]
    read = client.get("/api/v1/campaigns/juniper/clips/", headers={"Authorization": f"Token {token}"})
    assert read.status_code == 200
    [clip] = read.json()["clips"]
    assert (clip["clip"], clip["answer"], clip["status"]) == (task.clip_id, "yes", "settled")
    assert [given["answer"] for given in clip["given"]] == ["yes", "yes"] and read.json()["below"] is None
    other = ProgramToken.objects.create(olga, [Scope.TAG])[1]
    refused = client.get("/api/v1/campaigns/juniper/clips/", headers={"Authorization": f"Token {other}"})
    assert refused.status_code == 403
