"""A newcomer's first minute over HTTP: the pledge before any clip is lent, a practice that stores nothing."""

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
    """The number of rows of every model except sessions."""
    return {
        model: model._default_manager.count()
        for model in apps.get_models()
        if "session" not in model.__name__.lower()
    }


def words_of(answer):
    """The page's text: without tags and direction marks, every run of whitespace as one space."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))
    return text.replace("\u2068", "").replace("\u2069", "")


# --- before the pledge -----------------------------------------------------------------------------------


@mutant(
    "the page lends no clip before the pledge",
    "tagger/desk/views.py",
    kept_by="    if not pledge.is_made(request.user):\n        return redirect(",
    broken="    if False:\n        return redirect(",
)
def test_the_page_lends_no_clip_before_the_pledge(here, juniper, share):
    share(juniper)
    answer = here.get("/tag/juniper/")
    assert (answer.status_code, answer["Location"]) == (302, TO_THE_PLEDGE)
    assert not Assignment.objects.exists()


def test_an_answer_from_a_page_opened_before_is_stored_and_then_the_pledge_is_asked_for(
    here, nina, juniper, share
):
    share(juniper)
    [lent] = assignments.lend(nina, juniper, 1, timezone.now())
    answer = here.post(reverse("hand_in", args=[lent.pk]), {"answer": "yes"}, follow=True)
    assert [given.answer for given in nina.annotations.all()] == ["yes"]
    assert answer.redirect_chain[-1][0] == TO_THE_PLEDGE


def test_a_campaign_that_does_not_exist_is_not_found_with_or_without_a_pledge(here):
    assert here.get("/tag/no-such-campaign/").status_code == 404


def test_the_list_of_campaigns_is_shown_without_a_pledge_and_links_to_it(here, nina, juniper):
    assert 'href="/first-minute/"' in here.get("/tag/").content.decode()
    pledge.make(nina)
    page = here.get("/tag/").content.decode()
    assert 'href="/first-minute/"' not in page and 'href="/first-minute/practice/"' in page


# --- the pledge ---------------------------------------------------------------------------------


def test_nothing_is_ticked_beforehand_and_a_missing_tick_is_an_error(here, nina):
    assert " checked" not in here.get("/first-minute/").content.decode()
    answer = here.post("/first-minute/", {})
    nina.refresh_from_db()
    assert (answer.status_code, nina.pledge) == (400, "")
    assert "Tick “I promise” first." in words_of(answer)
    assert 'aria-invalid="true"' in answer.content.decode()


def test_the_pledge_leads_to_the_practice_and_then_to_the_page_in_next(here, nina, juniper, share):
    share(juniper)
    sent = here.post(TO_THE_PLEDGE, {"promise": "on"})
    nina.refresh_from_db()
    assert nina.pledge == pledge.VERSION
    assert sent["Location"] == "/first-minute/practice/?next=%2Ftag%2Fjuniper%2F"
    assert 'href="/tag/juniper/"' in here.get(sent["Location"]).content.decode()
    assert here.get("/tag/juniper/").status_code == 200
    assert Assignment.objects.filter(annotator=nina).count() == 1


@mutant(
    "everyone is asked again for a new version of the pledge",
    "tagger/welcome/pledge.py",
    kept_by="    return person.pledge == VERSION\n",
    broken='    return person.pledge != ""\n',
)
def test_a_new_version_of_the_pledge_is_asked_for_again(promised, nina, juniper, share, monkeypatch):
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


def test_the_pledge_can_be_read_again_and_is_not_asked_for_twice(promised):
    page = promised.get("/first-minute/")
    assert "You promised this." in words_of(page) and 'name="promise"' not in page.content.decode()


@pytest.mark.parametrize("page", ["practice", "ready"])
def test_the_later_steps_lead_back_to_the_pledge_until_it_is_made(here, page):
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
def test_next_leads_only_to_pages_of_this_site(promised, elsewhere):
    for page in ("practice", "ready", "first_minute"):
        drawn = promised.get(reverse(page), {"next": elsewhere}).content.decode()
        leads = re.findall(r'<a [^>]*href="([^"?]*)', drawn[drawn.index("<main") : drawn.index("</main>")])
        assert "/tag/next/" in leads and not any("elsewhere" in each or "alert" in each for each in leads)


def test_next_is_escaped_in_the_page(promised):
    drawn = promised.get(reverse("ready"), {"next": '/"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in drawn


# --- the practice -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "answer", "result"),
    [
        (1, "yes", "Right."),
        (1, "similar", "Not quite."),
        (2, "similar", "Right."),
        (2, "yes", "Not quite."),
        (3, "noise", "Right."),
        (3, "no", "Not quite."),
    ],
)
def test_each_answer_gets_feedback_on_whether_it_is_right_and_why(promised, number, answer, result):
    before = rows()
    page = promised.post(f"/first-minute/practice/?clip={number}", {"answer": answer})
    with override("en"):
        why = str(practice.clips(practice.campaign_like("wake-word", "en"))[number - 1].why)
    assert page.status_code == 200
    feedback = re.search(r'data-part="feedback">(.*?)data-part="onward"', page.content.decode(), re.S)[1]
    assert result in feedback and why in feedback
    assert rows() == before


@pytest.mark.parametrize(
    ("number", "sent", "feedback"),
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
def test_a_transcript_is_compared_as_votes_are_and_its_first_wrong_word_is_named(
    promised, sentences, number, sent, feedback
):
    before = rows()
    page = promised.post(f"/first-minute/practice/?next=/tag/sentences/&clip={number}", sent)
    assert feedback in words_of(page)
    assert rows() == before


def test_an_empty_transcript_is_an_error_that_says_what_to_do(promised, sentences):
    page = promised.post("/first-minute/practice/?next=/tag/sentences/", {"answer": " "})
    assert page.status_code == 400
    assert "Write what is said, or press “No one speaks”." in words_of(page)


def test_the_practice_is_like_the_campaign_in_next(promised, juniper, sentences, db):
    def sound(query):
        return re.search(
            r'src="/static/sounds/([\w-]+).wav"',
            promised.get(f"/first-minute/practice/{query}").content.decode(),
        )[1]

    spanish = Campaign.objects.create(slug="frases", kind="transcription", language="es-MX")
    finnish = Campaign.objects.create(slug="lauseet", kind="transcription", language="fi")
    assert sound("?next=/tag/juniper/") == "wake-word"
    assert sound("?next=/tag/sentences/") == "sentence-en"
    assert sound(f"?next=/tag/{spanish.slug}/") == "sentence-es"
    assert sound(f"?next=/tag/{finnish.slug}/") == "sentence-en"
    for query in ("", "?next=/tag/", "?next=/nothing-here/", "?next=/tag/no-such-campaign/", "?kind=other"):
        assert sound(query) == "wake-word"
    assert sound("?kind=transcription") == "sentence-en"


def test_three_practice_clips_lead_to_the_campaign(promised, juniper):
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


@pytest.mark.parametrize("number", ["0", "4", "-1", "one", "1.0", "", "²"])
def test_an_invalid_clip_number_is_not_found(promised, number):
    assert promised.get("/first-minute/practice/", {"clip": number}).status_code == 404


def test_a_clip_number_that_is_no_text_is_a_bad_request(promised):
    """As in every address: see tests/whole_site/test_bodies.py."""
    assert promised.get("/first-minute/practice/", {"clip": "\0"}).status_code == 400


def test_the_right_answers_are_in_normalised_form():
    for clip in practice.every_clip():
        assert clip.answer == normalise.text(clip.answer, "en") == normalise.text(clip.answer, "es")


# --- the sounds ---------------------------------------------------------------------------------


def test_every_practice_clip_has_its_sound_and_no_sound_is_unused():
    used = {clip.sound for clip in practice.every_clip()}
    assert {path.name for path in SOUNDS.iterdir()} == used | {"README.md"}


@pytest.mark.parametrize("name", sorted({clip.sound for clip in practice.every_clip()}))
def test_each_sound_is_small_16_khz_mono_and_has_speech_only_where_it_should(name):
    path = SOUNDS / name
    assert path.stat().st_size < 60_000
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
    samples, _rate = soundfile.read(path, dtype="int16")
    audio.check(samples)
    assert (audio.speech_share(samples) > 0.5) == (name != "noise.wav")


def test_the_sounds_can_be_made_again(tmp_path):
    subprocess.run([sys.executable, "-m", "tagger.demo.practice_sounds", tmp_path], cwd=ROOT, check=True)
    made = {path.name: soundfile.read(path, dtype="int16")[0] for path in tmp_path.iterdir()}
    assert made.keys() == {clip.sound for clip in practice.every_clip()}
    for name, samples in made.items():
        stored, _rate = soundfile.read(SOUNDS / name, dtype="int16")
        assert samples.shape == stored.shape, name
        # Other processors may round differently.
        assert np.abs(samples.astype(int) - stored).max() <= 4, name


# --- personal data ----------------------------------------------------------------


def test_the_personal_data_archive_contains_the_pledge_and_leaving_erases_it(nina, now):
    def pledge_in_archive():
        whole = io.BytesIO(b"".join(personal_data.archive(nina, now)))
        return json.loads(zipfile.ZipFile(whole).read("profile.json"))["listeners_pledge"]

    assert pledge_in_archive() is None
    pledge.make(nina)
    assert pledge_in_archive() == pledge.VERSION
    withdrawal.forget_account(nina, True, now)
    withdrawal.scrub(Withdrawal.objects.get(), lambda: now)
    nina.refresh_from_db()
    assert nina.pledge == ""
