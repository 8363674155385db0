"""A newcomer's first minute over HTTP: a pledge before anything is lent, a practice that keeps nothing."""

import io
import json
import re
import subprocess
import sys
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from django.apps import apps
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from knox.models import AuthToken

from accounts.models import User
from datasets import normalise
from datasets.clips import audio
from datasets.models import Campaign, Withdrawal
from tagger.lending import assignments
from tagger.models import Assignment
from tagger.privacy import personal_data, withdrawal
from tagger.welcome import pledge, practice
from tests.support.mutants import mutant

ROOT = Path(__file__).resolve().parents[2]
SOUNDS = ROOT / "static" / "sounds"
TO_THE_PLEDGE = "/first-minute/?next=%2Ftag%2Fjuniper%2F"


@pytest.fixture
def nina(db):
    """Signed up a moment ago."""
    return User.objects.create_user("nina")


@pytest.fixture
def here(client, nina):
    client.force_login(nina)
    return client


@pytest.fixture
def promised(here, nina):
    pledge.make(nina)
    return here


def rows():
    """How many there are of everything but sessions."""
    return {
        model: model._default_manager.count()
        for model in apps.get_models()
        if "session" not in model.__name__.lower()
    }


def words_of(answer):
    """Without tags, spaces as one, and without the marks around a word that runs another way."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))
    return text.replace("\u2068", "").replace("\u2069", "")


# --- the gate -----------------------------------------------------------------------------------


@mutant(
    "nobody is lent a clip on the page before the pledge",
    "tagger/desk/views.py",
    kept_by='        return redirect(pledge.address(reverse("tag", args=[campaign.slug])))\n    lent = ',
    broken="        pass\n    lent = ",
)
def test_nobody_is_lent_a_clip_on_the_page_before_the_pledge(here, juniper, share):
    share(juniper)
    answer = here.get("/tag/juniper/")
    assert (answer.status_code, answer["Location"]) == (302, TO_THE_PLEDGE)
    assert not Assignment.objects.exists()


def test_a_program_is_not_asked(client, nina, juniper, share):
    """The calls are for what somebody wrote or started by hand; people listen on the pages."""
    share(juniper)
    header = {"authorization": f"Token {AuthToken.objects.create(nina)[1]}"}
    answer = client.post(
        "/api/v1/campaigns/juniper/assignments/", {"count": 1}, "application/json", headers=header
    )
    [lent] = answer.json()["assignments"]
    assert client.get(lent["audio"], headers=header).status_code == 200


def test_an_answer_from_a_page_of_before_is_kept_and_then_comes_the_pledge(here, nina, juniper, share):
    share(juniper)
    [lent] = assignments.lend(nina, juniper, 1, timezone.now())
    answer = here.post(reverse("hand_in", args=[lent.pk]), {"answer": "yes"}, follow=True)
    assert [given.answer for given in nina.annotations.all()] == ["yes"]
    assert answer.redirect_chain[-1][0] == TO_THE_PLEDGE


def test_a_campaign_that_is_not_there_is_missing_with_or_without_a_pledge(here):
    assert here.get("/tag/no-such-campaign/").status_code == 404


def test_the_list_stays_open_and_invites(here, nina, juniper):
    assert 'href="/first-minute/"' in here.get("/tag/").content.decode()
    pledge.make(nina)
    page = here.get("/tag/").content.decode()
    assert 'href="/first-minute/"' not in page and 'href="/first-minute/practice/"' in page


# --- the pledge ---------------------------------------------------------------------------------


def test_nothing_is_ticked_beforehand_and_going_on_without_it_says_so(here, nina):
    assert " checked" not in here.get("/first-minute/").content.decode()
    answer = here.post("/first-minute/", {})
    nina.refresh_from_db()
    assert (answer.status_code, nina.pledge) == (400, "")
    assert "Tick “I promise” first." in words_of(answer)
    assert 'aria-invalid="true"' in answer.content.decode()


def test_after_the_pledge_come_the_practice_and_the_page_one_was_on_the_way_to(here, nina, juniper, share):
    share(juniper)
    sent = here.post(TO_THE_PLEDGE, {"promise": "on"})
    nina.refresh_from_db()
    assert nina.pledge == pledge.VERSION
    assert sent["Location"] == "/first-minute/practice/?next=%2Ftag%2Fjuniper%2F"
    assert 'href="/tag/juniper/"' in here.get(sent["Location"]).content.decode()
    assert here.get("/tag/juniper/").status_code == 200
    assert Assignment.objects.filter(annotator=nina).count() == 1


@mutant(
    "another version of the pledge asks everybody again",
    "tagger/welcome/pledge.py",
    kept_by="    return person.pledge == VERSION\n",
    broken='    return person.pledge != ""\n',
)
def test_another_version_of_the_pledge_asks_again(promised, nina, juniper, share, monkeypatch):
    share(juniper)
    monkeypatch.setattr(pledge, "VERSION", "next")
    assert promised.get("/tag/juniper/")["Location"] == TO_THE_PLEDGE
    assert not Assignment.objects.exists()
    page = promised.get("/first-minute/")
    assert "The promise has changed since you made it" in words_of(page)
    assert 'name="promise"' in page.content.decode()
    promised.post("/first-minute/", {"promise": "on"})
    nina.refresh_from_db()
    assert nina.pledge == "next"


def test_whoever_made_it_can_read_it_and_is_not_asked_twice(promised):
    page = promised.get("/first-minute/")
    assert "You promised this." in words_of(page) and 'name="promise"' not in page.content.decode()


@pytest.mark.parametrize("page", ["practice", "ready"])
def test_the_pledge_comes_before_what_follows_it(here, page):
    answer = here.get(f"{reverse(page)}?next=/tag/juniper/")
    assert answer["Location"] == "/first-minute/?next=/tag/juniper/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        *(
            "https://elsewhere.example/",
            "//elsewhere.example/",
            "/\\elsewhere.example/",
            "javascript:alert(1)",
        ),
        *("tag/juniper/", "", "http:///elsewhere.example", "///elsewhere.example"),
    ],
)
def test_on_the_way_is_only_a_page_of_this_site(promised, elsewhere):
    for page in ("practice", "ready", "first_minute"):
        drawn = promised.get(reverse(page), {"next": elsewhere}).content.decode()
        leads = re.findall(r'<a class="button[^"]*" href="([^"?]*)', drawn)
        assert "/tag/" in leads and not any("elsewhere" in each or "alert" in each for each in leads)


def test_what_one_is_on_the_way_to_is_text_in_the_page(promised):
    drawn = promised.get(reverse("ready"), {"next": '/"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in drawn


# --- the practice -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "answer", "verdict"),
    [
        (1, "yes", "Right."),
        (1, "similar", "Not quite."),
        (2, "similar", "Right."),
        (2, "yes", "Not quite."),
        (3, "noise", "Right."),
        (3, "no", "Not quite."),
    ],
)
def test_each_answer_is_told_whether_it_is_right_and_why(promised, number, answer, verdict):
    before = rows()
    page = promised.post(f"/first-minute/practice/?clip={number}", {"answer": answer})
    with override("en"):
        why = str(practice.clips(practice.campaign_like("wake-word", "en"))[number - 1].why)
    assert page.status_code == 200
    feedback = re.search(r'data-part="feedback">(.*?)data-part="onward"', page.content.decode(), re.S)[1]
    assert verdict in feedback and why in feedback
    assert rows() == before


@pytest.mark.parametrize(
    ("number", "sent", "told"),
    [
        (1, {"answer": "Please, turn on the LIGHT!"}, "Right."),
        (1, {"answer": "please turn of the light"}, "Word 3 is “on”, and you wrote “of”."),
        (1, {"answer": "please turn on the"}, "After what you wrote comes “light”."),
        (
            1,
            {"answer": "please turn on the light now"},
            "Nothing is said after “light”, and you wrote “now”.",
        ),
        (1, {"no_speech": "1"}, "Someone speaks in this clip."),
        (2, {"answer": "put the [unclear] on the table"}, "Right."),
        (2, {"answer": "put the cup on the table"}, "Word 3 is “[unclear]”, and you wrote “cup”."),
        (3, {"answer": "", "no_speech": "1"}, "Right."),
        (3, {"answer": "knock"}, "You wrote words where no one speaks."),
    ],
)
def test_a_transcript_is_compared_as_votes_are_and_its_first_other_word_is_named(
    promised, sentences, number, sent, told
):
    before = rows()
    page = promised.post(f"/first-minute/practice/?next=/tag/sentences/&clip={number}", sent)
    assert told in words_of(page)
    assert rows() == before


def test_an_empty_transcript_is_told_what_to_do(promised, sentences):
    page = promised.post("/first-minute/practice/?next=/tag/sentences/", {"answer": " "})
    assert page.status_code == 400
    assert "Write what is said, or press “No one speaks”." in words_of(page)


def test_what_is_practised_is_what_one_is_on_the_way_to(promised, juniper, sentences, db):
    def sound(query):
        return re.search(
            r'src="/static/sounds/([\w-]+).wav"',
            promised.get(f"/first-minute/practice/{query}").content.decode(),
        )[1]

    spanish = Campaign.objects.create(slug="frases", kind="transcription", language="es-MX")
    german = Campaign.objects.create(slug="saetze", kind="transcription", language="de")
    assert sound("?next=/tag/juniper/") == "wake-word"
    assert sound("?next=/tag/sentences/") == "sentence-en"
    assert sound(f"?next=/tag/{spanish.slug}/") == "sentence-es"
    assert sound(f"?next=/tag/{german.slug}/") == "sentence-en"
    for nowhere in ("", "?next=/tag/", "?next=/nothing-here/", "?next=/tag/no-such-campaign/", "?kind=other"):
        assert sound(nowhere) == "wake-word"
    assert sound("?kind=transcription") == "sentence-en"


def test_the_steps_lead_through_three_clips_to_the_queue(promised, juniper):
    address, clips = "/first-minute/practice/?next=/tag/juniper/", []
    while address.startswith("/first-minute/practice/"):
        page = promised.post(address, {"answer": "yes"})
        clips += re.findall(r"sounds/[\w-]+\.wav", page.content.decode())
        [onward] = re.findall(r'<a class="button primary" href="([^"]*)" autofocus>', page.content.decode())
        onward = onward.replace("&amp;", "&")
        address = f"/first-minute/practice/{onward}" if onward.startswith("?") else onward
    assert len(clips) == len(set(clips)) == 3
    assert address == "/first-minute/ready/?next=%2Ftag%2Fjuniper%2F"
    last = promised.get(address)
    assert "You are ready" in words_of(last)
    assert re.search(r'href="/tag/juniper/" autofocus', last.content.decode())


@pytest.mark.parametrize("number", ["0", "4", "-1", "one", "1.0", "", "²", "\0"])
def test_a_clip_that_there_is_not_is_missing(promised, number):
    assert promised.get("/first-minute/practice/", {"clip": number}).status_code == 404


def test_the_right_answers_are_in_the_form_that_votes_are_counted_on():
    for clip in practice.every_clip():
        assert clip.answer == normalise.text(clip.answer)


# --- the sounds ---------------------------------------------------------------------------------


def test_every_practice_clip_has_its_sound_and_no_sound_lies_there_unused():
    used = {clip.sound for clip in practice.every_clip()}
    assert {path.name for path in SOUNDS.iterdir()} == used | {"README.md"}


@pytest.mark.parametrize("name", sorted({clip.sound for clip in practice.every_clip()}))
def test_a_sound_is_small_plain_and_speaks_only_where_somebody_should(name):
    path = SOUNDS / name
    assert path.stat().st_size < 60_000
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
    samples, _rate = soundfile.read(path, dtype="int16")
    audio.check(samples)
    assert (audio.speech_share(samples) > 0.5) == (name != "noise.wav")


def test_the_sounds_can_be_made_anew(tmp_path):
    subprocess.run([sys.executable, "-m", "tagger.demo.practice_sounds", tmp_path], cwd=ROOT, check=True)
    made = {path.name: soundfile.read(path, dtype="int16")[0] for path in tmp_path.iterdir()}
    assert made.keys() == {clip.sound for clip in practice.every_clip()}
    for name, samples in made.items():
        kept, _rate = soundfile.read(SOUNDS / name, dtype="int16")
        assert samples.shape == kept.shape, name
        # Other processors round otherwise.
        assert np.abs(samples.astype(int) - kept).max() <= 4, name


# --- what is held about a person ----------------------------------------------------------------


def test_the_download_tells_the_pledge_and_leaving_takes_it_away(nina, now):
    def told():
        whole = io.BytesIO(b"".join(personal_data.archive(nina, now)))
        return json.loads(zipfile.ZipFile(whole).read("profile.json"))["listeners_pledge"]

    assert told() is None
    pledge.make(nina)
    assert told() == pledge.VERSION
    withdrawal.forget_account(nina, True, now)
    withdrawal.scrub(Withdrawal.objects.get(), lambda: now)
    nina.refresh_from_db()
    assert nina.pledge == ""
