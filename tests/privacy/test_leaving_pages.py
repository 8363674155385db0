"""Downloading one's data, withdrawing, leaving, and the erasure receipt that needs no account."""

import hashlib
import io
import json
import re
import zipfile

import httpx
import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts import consent, devices, receipts, signing
from accounts.models import Material, ProgramToken, Purpose, User
from datasets.clips import vault
from datasets.models import Annotation, Withdrawal
from tagger.lending import assignments
from tagger.privacy import tasks, withdrawal
from tests.accounts.test_browser_opt_in import fits
from tests.conftest import NOW
from tests.privacy.test_my_clips import drawn, scrub_all
from tests.support import sounds
from tests.support.consent_page import Form
from tests.support.mutants import mutant
from tests.support.site import eventually
from tests.support.stored import files

PASSWORD = "a long pass phrase"


@pytest.fixture
def here(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def shared(juniper, sentences, share):
    return [share(juniper), share(sentences)]


@pytest.fixture
def answered(bea, alice, juniper, sentences, shared):
    """Bea answered both of Alice's clips."""
    for campaign, answer in ((juniper, "yes"), (sentences, "the cat sat")):
        [lent] = assignments.lend(bea, campaign, 1, NOW)
        assignments.hand_in(bea, lent.pk, answer, NOW)


def downloaded(client):
    response = client.get(reverse("my_data"))
    assert response["Cache-Control"] == "no-store"
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


def lines(archive, name):
    return [json.loads(line) for line in archive.read(name).decode().splitlines()]


def test_the_download_has_every_clip_and_everything_stored_about_it(here, alice, shared, answered):
    archive = downloaded(here)
    about = {each["id"]: each for each in lines(archive, "clips.jsonl")}
    assert about.keys() == {task.clip_id for task in shared}
    for task in shared:
        each = about[task.clip_id]
        assert archive.read(each["file"]) == vault.get(task.clip)
        [question] = each["questions"]
        assert (question["campaign"], question["heard_by"]) == (task.campaign.slug, 1)
    assert json.loads(archive.read("profile.json"))["pseudonym"] == "alice"


def test_the_download_has_consents_receipts_and_devices(here, alice):
    waiting = devices.offer("state", NOW)
    devices.claim(alice, waiting.code, "the kitchen", NOW)
    archive = downloaded(here)
    given = json.loads(archive.read("consents.json"))
    assert [each["id"] for each in given] == [each.pk for each in alice.consents.order_by("at", "pk")]
    for each in receipts.for_contributor(alice):
        signing.verify(json.loads(archive.read(f"receipts/{each.id}.json")))
    [device] = json.loads(archive.read("devices.json"))
    assert device["about"] == {"name": "the kitchen"}


def test_the_download_says_what_tokens_may_do_and_when_sessions_were_used(here, alice):
    token, text = ProgramToken.objects.create(alice, ["tag"], 30)
    profile = json.loads(downloaded(here).read("profile.json"))
    [told] = profile["tokens"]
    assert (told["prefix"], told["scopes"]) == (text[:8], ["tag"])
    assert told["expires_at"][:10] == f"{token.expires_at:%Y-%m-%d}"
    today = f"{timezone.now():%Y-%m-%d}"
    assert [(each["began_on"], each["used_on"]) for each in profile["sessions"]] == [(today, today)]


def test_every_file_of_the_download_has_its_checksum(here, shared):
    archive = downloaded(here)
    assert archive.testzip() is None
    sums = dict(reversed(line.split("  ")) for line in archive.read("checksums.sha256").decode().splitlines())
    assert sums.keys() == set(archive.namelist()) - {"checksums.sha256"}
    assert all(hashlib.sha256(archive.read(name)).hexdigest() == digest for name, digest in sums.items())


def test_the_readme_names_every_kind_of_file(here, shared):
    archive = downloaded(here)
    tops = {name.split("/")[0] for name in archive.namelist()} - {"README.txt"}
    readme = archive.read("README.txt").decode()
    assert {top for top in tops if top not in readme} == set()


@mutant(
    "the download has only the person's own answers",
    "tagger/privacy/personal_data.py",
    kept_by="    answers = person.annotations.filter(**only).annotate(",
    broken="    answers = Annotation.objects.filter(**only).annotate(",
)
@mutant(
    "the download has only the person's own clips",
    "tagger/privacy/personal_data.py",
    kept_by="    clips = person.clips.filter(withdrawal=None)",
    broken="    clips = Clip.objects.filter(withdrawal=None)",
)
def test_the_download_has_nothing_of_anyone_else(client, here, alice, bea, shared, answered):
    consent.give(bea, Material.WAKE_WORD, [Purpose.VOLUNTEERS], NOW, reference="the paper of bea")
    everything = downloaded(here)
    assert lines(everything, "annotations.jsonl") == lines(everything, "assignments.jsonl") == []
    text = b"".join(everything.read(name) for name in everything.namelist())
    # In quotes, because any checksum may contain "bea".
    assert b'"bea"' not in text and b"the paper of" not in text
    client.force_login(bea)
    archive = downloaded(client)
    assert lines(archive, "clips.jsonl") == []
    assert not [name for name in archive.namelist() if name.endswith(".wav")]
    assert [each["answer"] for each in lines(archive, "annotations.jsonl")] == ["yes", "the cat sat"]
    assert b"alice" not in b"".join(archive.read(name) for name in archive.namelist())


@mutant(
    "the download has what the person reported",
    "tagger/privacy/personal_data.py",
    kept_by='    yield "reports.jsonl", _lines(_reports(person))\n',
    broken="",
)
def test_the_download_has_the_persons_own_reports_and_campaigns(client, alice, bea, carl, answered, juniper):
    juniper.owner = bea
    juniper.save()
    task = juniper.tasks.first()
    for person in (bea, carl):
        assignments.report_example(person, task, "audio", NOW)
    client.force_login(bea)
    archive = downloaded(client)
    [report] = lines(archive, "reports.jsonl")
    assert (report["campaign__slug"], report["reason"], report["dismissed_at"]) == ("juniper", "audio", None)
    assert json.loads(archive.read("profile.json"))["owns_campaigns"] == ["juniper"]


@mutant(
    "a volunteer's transcript goes with the speaker's clip",
    "tagger/privacy/personal_data.py",
    kept_by="given.answer if given.may_be_heard else None",
    broken="given.answer",
)
def test_a_transcript_is_left_out_once_the_speaker_withdrew_the_clip(client, alice, bea, answered):
    withdrawal.forget_contributor(alice, NOW)
    client.force_login(bea)
    assert [each["answer"] for each in lines(downloaded(client), "annotations.jsonl")] == [None, None]


def test_a_clip_deleted_while_the_download_runs_is_left_out(here, alice, shared):
    pieces = iter(here.get(reverse("my_data")).streaming_content)
    first = next(pieces)
    withdrawal.forget_clips(alice, [shared[1].clip_id], NOW)
    archive = zipfile.ZipFile(io.BytesIO(first + b"".join(pieces)))
    assert [name for name in archive.namelist() if name.endswith(".wav")] == [
        f"clips/{shared[0].clip_id}.wav"
    ]


@mutant(
    "leaving asks with nothing preselected",
    "tagger/privacy/views_leaving.py",
    kept_by="        widget=forms.RadioSelect,\n",
    broken="        widget=forms.RadioSelect,\n        initial=KEEP,\n",
)
def test_leaving_asks_one_question_with_nothing_preselected_and_no_reason(here):
    page = here.get(reverse("leave")).content.decode()
    [fields] = re.findall(r'<form class="section" method="post".*?</form>', page, re.S)
    shown = [
        field for field in re.findall(r"<(?:input|select|textarea)[^>]*>", fields) if "hidden" not in field
    ]
    assert [re.search(r'value="(\w+)"', field)[1] for field in shown] == ["keep", "remove"]
    assert not [field for field in shown if "checked" in field or "selected" in field]
    assert fields.count("<button class") == 1  # the other one sends what waits, and is hidden


@pytest.mark.parametrize("answers", [{}, {"answers": ""}, {"answers": "both"}])
def test_without_an_answer_the_person_does_not_leave(here, alice, shared, answers):
    response = here.post(reverse("leave"), answers)
    assert response.status_code == 400 and "checked" not in response.content.decode()
    assert User.objects.get(pk=alice.pk).is_active and not Withdrawal.objects.exists()


def test_the_page_says_what_goes_when_and_what_cannot_be_undone(here):
    text = drawn(here.get(reverse("leave")))
    for words in (
        "Immediately",
        "Within five minutes",
        "Within a day",
        "What cannot be undone",
        "What stays",
    ):
        assert words in text


@pytest.mark.parametrize(("choice", "left"), [("keep", 2), ("remove", 0)])
def test_leaving_keeps_or_removes_the_answers(client, bea, answered, choice, left):
    client.force_login(bea)
    receipt = client.post(reverse("leave"), {"answers": choice})["Location"]
    assert "_auth_user_id" not in client.session
    assert client.get(reverse("my_clips")).status_code == 302
    scrub_all()
    assert Annotation.objects.count() == left and not bea.annotations.exists()
    assert "Done." in drawn(client.get(receipt))


@mutant(
    "every erasure is queued for a worker",
    "tagger/privacy/erasure.py",
    kept_by="    tasks.scrub.delay_on_commit(requested.withdrawal)  # type: ignore[attr-defined]\n",
    broken="",
)
def test_leaving_queues_the_scrub(here, alice, shared, monkeypatch):
    queued = []
    monkeypatch.setattr(tasks.scrub, "delay_on_commit", queued.append)
    here.post(reverse("leave"), {"answers": "keep"})
    assert queued == [Withdrawal.objects.get().pk]


def test_the_receipt_is_unsigned_at_first_then_signed_and_verifies_for_anyone(client, here, shared, tmp_path):
    page = here.post(reverse("delete_all_clips"))["Location"]
    client.logout()
    file = page + "receipt.json"
    assert "In progress." in drawn(client.get(page))
    assert client.get(file).status_code == 202 and "signature" not in client.get(file).json()
    scrub_all()
    response = client.get(file)
    assert response.status_code == 200 and response["Cache-Control"] == "no-store"
    (tmp_path / "receipt.json").write_bytes(response.content)
    call_command("verify_receipt", tmp_path / "receipt.json")
    checked = client.post(reverse("check_receipt"), {"receipt": response.content.decode()})
    assert "This site signed it, and it has not been changed." in drawn(checked)


def test_an_unknown_receipt_is_not_found(client, db):
    assert client.get("/receipts/erasure/nonsense/").status_code == 404
    assert client.get("/receipts/erasure/nonsense/receipt.json").status_code == 404


@mutant(
    "withdrawing everything erases every clip",
    "tagger/privacy/erasure.py",
    kept_by="    if not going:",
    broken="    if True:",
)
def test_withdrawing_everything_erases_every_clip_and_gives_a_receipt(here, alice, shared, own_home):
    page = here.post(reverse("withdraw_consent"), follow=True)
    assert page.redirect_chain[-1][0].startswith("/receipts/erasure/")
    assert "Withdrawn: 4 consents." in drawn(page)
    scrub_all()
    assert not alice.clips.exists() and files(own_home) == []


def test_withdrawing_from_volunteers_erases_only_that_material(here, alice, shared):
    here.post(reverse("withdraw_consent"), {"material": "wake-word", "purpose": "volunteers"})
    assert [clip.material for clip in alice.clips.filter(withdrawal=None)] == ["utterance"]


def test_withdrawing_another_purpose_erases_nothing(here, alice, shared):
    here.post(reverse("withdraw_consent"), {"material": "wake-word", "purpose": "researchers"})
    assert alice.clips.filter(withdrawal=None).count() == 2 and not Withdrawal.objects.exists()


@pytest.mark.parametrize("width", [360, 1280])
def test_leaving_takes_two_clicks_fits_the_screen_and_needs_no_scripts(site, visit, width):
    page = visit(base_url=site.url, java_script_enabled=False, viewport={"width": width, "height": 800})
    page.goto("/accounts/signup/")
    page.get_by_label("Pseudonym").fill(f"short-stay-{width}")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    for path in ("/my-clips/", "/my-clips/delete-all/", "/leave/"):
        page.goto(path)
        fits(page)
    page.get_by_label("Keep my answers without me").check()
    page.get_by_role("button", name="Leave permanently").click()
    expect(page.get_by_role("heading", name="Erasure receipt")).to_be_visible()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    fits(page)


class Person:
    """A person at a running site, with a client that keeps cookies and sends forms."""

    def __init__(self, site):
        self.http = httpx.Client(base_url=site.url, follow_redirects=True, timeout=30)

    def get(self, path):
        return self.http.get(path)

    def send(self, path, data, **more):
        self.http.get(path)
        hidden = {"csrfmiddlewaretoken": self.http.cookies["csrftoken"]}
        return self.http.post(path, data=hidden | data, **more)


def vaulted(site):
    return set(files(site.home))


def test_a_person_signs_up_shares_leaves_is_gone_and_can_prove_it(site, tmp_path):
    site.manage("create_campaign", "leaving", "--kind", "wake-word", "--language", "en", "--wake-word", "bye")
    before = vaulted(site)
    mia = Person(site)
    log_in = {"login": "mia-who-leaves", "password": PASSWORD}
    mia.send("/accounts/signup/", {"username": "mia-who-leaves", "password1": PASSWORD})
    form = Form(mia.get("/profile/consent/").text, "/profile/consent/give/")
    given = form.hidden() | {"wake-word.volunteers": "on", "wake-word.public": "on"}
    mia.http.post("/profile/consent/give/", data=given)
    sound = {"audio": ("clip.wav", sounds.in_format("wav", sounds.babble(seed=4711, seconds=1.5)))}
    assert mia.send("/record/leaving/", {}, files=sound).status_code == 200
    assert len(vaulted(site) - before) == 1
    elsewhere = Person(site)
    elsewhere.send("/accounts/login/", log_in)
    assert "mia-who-leaves" in elsewhere.get("/profile/").text
    assert "clips/" in str(zipfile.ZipFile(io.BytesIO(mia.get("/my-data/").content)).namelist())

    left = mia.send("/leave/", {"answers": "remove"})
    assert "/receipts/erasure/" in str(left.url)
    stranger = Person(site)  # the address is all that is needed
    file = f"{left.url}receipt.json"
    assert eventually(lambda: stranger.get(file).status_code == 200, seconds=60)
    receipt = stranger.get(file)
    assert (receipt.json()["erased"]["clips"], receipt.json()["erased"]["files"]) == (1, 1)
    (tmp_path / "receipt.json").write_bytes(receipt.content)
    site.manage("verify_receipt", tmp_path / "receipt.json")

    assert vaulted(site) == before
    stranger.send("/accounts/login/", log_in)
    for gone in (stranger, elsewhere, mia):
        assert gone.http.get("/profile/", follow_redirects=False).status_code == 302
