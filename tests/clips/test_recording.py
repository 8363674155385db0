import re
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from accounts import consent, keys, notices
from accounts.models import Material, Purpose, User
from datasets import campaigns
from datasets.clips import audio, recording, vault
from datasets.models import Campaign, Clip, Prompt, Reading, Task
from tests.clips.test_intake import files
from tests.conftest import NOW
from tests.support import sounds
from tests.support.factors import give_factor
from tests.support.mutants import mutant

SENTENCES = ("the kettle is on the stove", "is it raining outside", "call me when you get home")
BY_SCRIPT = {"accept": "application/json"}


@pytest.fixture
def reading(sentences):
    """A transcription campaign with three sentences to read."""
    campaigns.set_prompts(sentences, "\n".join(SENTENCES))
    return sentences


@pytest.fixture
def at(client, alice):
    """Alice's browser."""
    client.force_login(alice)
    return client


@pytest.fixture
def dan(db):
    """A contributor who has given no consent."""
    return User.objects.create_user("dan")


def take(seconds=1.5, kind="wav", seed=1):
    return SimpleUploadedFile(f"take.{kind}", sounds.in_format(kind, sounds.babble(seed, seconds)))


def send(client, slug, sound=None, **options):
    fields = {"audio": sound or take(), **options.pop("fields", {})}
    return client.post(f"/record/{slug}/", fields, headers=options.pop("headers", BY_SCRIPT))


def offered(client, slug="sentences"):
    """The sentence on the page."""
    return client.get(f"/record/{slug}/").context["prompt"]


def test_a_recording_becomes_a_clip_with_the_same_samples(at, alice, juniper):
    answer = send(at, "juniper")
    assert (answer.status_code, answer.json()) == (201, {"shared": 1, "prompt": None})
    clip = alice.clips.get()
    assert (clip.source, clip.material, clip.language) == ("browser", "wake-word", "en")
    assert vault.get(clip) == audio.wav(sounds.babble(1, 1.5))
    assert clip.tasks.get().reference == ""


@pytest.mark.parametrize("kind", sounds.FORMATS)
def test_without_javascript_a_file_of_any_format_is_accepted(at, alice, juniper, kind):
    answer = at.post("/record/juniper/", {"audio": take(kind=kind)}, follow=True)
    assert answer.redirect_chain == [("/record/juniper/", 302)]
    assert "Thank you: your recording is shared." in answer.content.decode()
    assert alice.clips.count() == 1


def test_the_sentence_to_read_is_the_reference_and_the_next_one_follows(at, alice, reading):
    asked = offered(at)
    answer = send(at, "sentences", fields={"prompt": asked.pk})
    task = Task.objects.get()
    assert (task.reference, task.clip.material, task.annotation_count) == (asked.text, "utterance", 0)
    following = answer.json()["prompt"]
    assert following["id"] != asked.pk and following["text"] in SENTENCES


@mutant(
    "no one is asked to read a sentence twice",
    "datasets/clips/recording.py",
    kept_by="            del marks[mark]\n",
    broken="            pass\n",
)
def test_no_one_is_asked_to_read_a_sentence_twice(at, alice, reading):
    read = []
    for seed in range(len(SENTENCES)):
        read.append(offered(at))
        assert send(at, "sentences", take(seed=seed), fields={"prompt": read[-1].pk}).status_code == 201
    assert {prompt.text for prompt in read} == set(SENTENCES)
    page = at.get("/record/sentences/")
    assert page.context["prompt"] is None
    assert "You have read every sentence" in page.content.decode()


def test_a_sentence_that_was_read_in_another_tab_is_not_accepted_twice(at, alice, reading):
    asked = offered(at)
    send(at, "sentences", fields={"prompt": asked.pk})
    again = send(at, "sentences", take(seed=2), fields={"prompt": asked.pk})
    assert (again.status_code, again.json()["detail"]) == (409, "You have already recorded this sentence.")
    assert alice.clips.count() == 1


def test_the_sentence_that_was_read_least_comes_first(alice, reading, bea):
    Prompt.objects.exclude(text=SENTENCES[1]).update(times_read=1)
    assert {recording.next_prompt(person, reading).text for person in (alice, bea)} == {SENTENCES[1]}


def test_people_get_equally_read_sentences_in_different_orders(reading, volunteers):
    asked = {person.pk: recording.next_prompt(person, reading) for person in volunteers}
    assert len(set(asked.values())) > 1
    assert asked == {person.pk: recording.next_prompt(person, reading) for person in volunteers}


def test_a_sentence_can_be_skipped(at, reading):
    first = offered(at)
    others = {at.get(f"/record/sentences/?other={first.pk}").context["prompt"].pk for _try in range(20)}
    assert first.pk not in others
    reading.prompts.exclude(pk=first.pk).delete()
    assert at.get(f"/record/sentences/?other={first.pk}").context["prompt"] == first


def test_sentences_beyond_the_first_batch_are_found(alice, reading, monkeypatch):
    monkeypatch.setattr(recording, "_PROMPTS_AT_A_TIME", 1)
    first = recording.next_prompt(alice, reading)
    recording.share(alice, reading, sounds.in_format("wav", sounds.babble(1, 1.5)), NOW, prompt=first)
    Prompt.objects.exclude(pk=first.pk).update(times_read=5)
    assert recording.next_prompt(alice, reading).pk != first.pk


@mutant(
    "which sentence a person read is stored nowhere in plain",
    "datasets/clips/recording.py",
    kept_by="hmac.new(key, ",
    broken='hmac.new(b"", ',
)
def test_which_sentence_a_person_read_is_stored_nowhere_in_plain(at, alice, bea, reading):
    consent.give(bea, Material.UTTERANCE, [Purpose.VOLUNTEERS], NOW, reference="on paper")
    prompt = reading.prompts.first()
    for person, seed in ((alice, 1), (bea, 2)):
        sound = sounds.in_format("wav", sounds.babble(seed, 1.5))
        recording.share(person, reading, sound, NOW, prompt=prompt)
    marks = Reading.objects.values_list("mark", flat=True)
    assert len(set(marks)) == 2 and all(re.fullmatch("[0-9a-f]{64}", mark) for mark in marks)
    prompt.refresh_from_db()
    assert prompt.times_read == 2


def test_speech_without_a_sentence_has_no_reference(at, alice, reading):
    assert at.get("/record/sentences/freely/").context["prompt"] is None
    assert send(at, "sentences").status_code == 201
    assert (Task.objects.get().reference, Reading.objects.count()) == ("", 0)


def test_a_sentence_of_another_campaign_is_refused(at, alice, reading, juniper):
    other = campaigns.create(slug="more", kind="transcription", language="en", prompts="good morning")
    answer = send(at, "sentences", fields={"prompt": other.prompts.get().pk})
    assert (answer.status_code, answer.json()["detail"]) == (400, "This sentence is no longer needed.")
    assert alice.clips.count() == 0


def test_sending_the_same_take_again_adds_nothing_and_is_not_an_error(at, alice, reading):
    asked = offered(at)
    first, again = (send(at, "sentences", fields={"prompt": asked.pk}) for _time in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (alice.clips.count(), Reading.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("sound", "status", "detail"),
    [
        (take(0.9), 400, "This recording cannot be accepted: shorter than 1 s."),
        (take(15.1), 400, "This recording cannot be accepted: longer than 15 s."),
        (
            SimpleUploadedFile("take.wav", b"no sound at all"),
            400,
            "This recording cannot be accepted: not an audio file that this site can read"
            " (WAV, FLAC, OGG, Opus, MP3, WebM, M4A).",
        ),
        (SimpleUploadedFile("take.wav", b""), 400, "This file is empty."),
        (SimpleUploadedFile("take.wav", bytes(2_000_001)), 400, "This file is larger than 2 MB."),
        (SimpleUploadedFile("take.wav", bytes(5_000_000)), 413, "This file is larger than 2 MB."),
    ],
    ids=("short", "long", "nonsense", "empty", "large", "far too large"),
)
def test_a_refused_recording_is_explained_and_leaves_nothing(
    at, alice, juniper, own_home, sound, status, detail
):
    sound.seek(0)
    answer = send(at, "juniper", sound)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)
    sound.seek(0)
    page = at.post("/record/juniper/", {"audio": sound})
    assert page.status_code == status and f"<li>{detail}</li>" in page.content.decode()
    assert (Clip.objects.count(), files(own_home)) == (0, [])


def test_recordings_of_one_to_fifteen_seconds_are_accepted(at, alice, juniper):
    for seed, seconds in enumerate((1.0, 15.0)):
        assert send(at, "juniper", take(seconds, seed=seed)).status_code == 201


@mutant(
    "no recording is written to a temporary file",
    "datasets/clips/in_memory.py",
    kept_by="        self.activated = True\n",
    broken="        super().handle_raw_input(*args, **kwargs)\n",
)
def test_no_recording_is_ever_written_to_a_temporary_file(at, alice, juniper, settings, tmp_path):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10  # Django would write larger files to a temporary file
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "none"
    assert send(at, "juniper").status_code == 201


def test_another_persons_recording_is_refused(at, alice, bea, juniper):
    consent.give(bea, Material.WAKE_WORD, [Purpose.VOLUNTEERS], NOW, reference="on paper")
    send(at, "juniper")
    other = Client()
    other.force_login(bea)
    answer = send(other, "juniper")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Someone else has already shared this recording."


@mutant(
    "without consent there is no recorder",
    "templates/datasets/clips/record_campaign.html",
    kept_by="{% if not allowed %}",
    broken="{% if False %}",
)
def test_without_consent_the_page_says_so_and_has_no_recorder(client, dan, juniper, reading):
    client.force_login(dan)
    for address in ("/record/juniper/", "/record/sentences/", "/record/sentences/freely/"):
        page = client.get(address).content.decode()
        assert "You have not agreed that volunteers may hear" in page and "/profile/consent/" in page
        main = page[page.index("<main") : page.index("</main>")]
        assert "voice-recorder" not in page and "record.js" not in page and "<form" not in main
    page = client.get("/record/").content.decode()
    assert "Say it" not in page and "/profile/consent/" in page


def test_without_consent_nothing_is_stored(client, dan, juniper, reading, own_home):
    client.force_login(dan)
    for slug, fields in (("juniper", {}), ("sentences", {"prompt": reading.prompts.first().pk})):
        answer = send(client, slug, fields=fields)
        assert answer.status_code == 403
        assert answer.json()["detail"] == "Nothing was stored: you have not agreed to this, or no longer do."
    assert client.post("/record/juniper/", {"audio": take()}).status_code == 403
    stored = (Clip.objects.count(), Task.objects.count(), Reading.objects.count(), files(own_home))
    assert stored == (0, 0, 0, [])


@mutant(
    "what is recorded after consent was withdrawn is not stored",
    "datasets/clips/intake.py",
    kept_by="                self._found[wanted] = consent.require(\n"
    "                    origin.contributor, material, Purpose.VOLUNTEERS, origin.reference\n"
    "                )\n",
    broken="                self._found[wanted] = origin.contributor.consents.first()\n",
)
def test_withdrawing_consent_while_the_page_is_open_ends_recording_immediately(at, alice, juniper, own_home):
    assert "voice-recorder" in at.get("/record/juniper/").content.decode()
    consent.withdraw(alice, NOW)
    assert send(at, "juniper").status_code == 403
    assert (Clip.objects.count(), files(own_home)) == (0, [])


def test_consent_for_one_material_opens_only_the_pages_for_it(client, dan, juniper, reading):
    consent.give(dan, Material.WAKE_WORD, [Purpose.VOLUNTEERS], NOW, reference="on paper")
    client.force_login(dan)
    assert "voice-recorder" in client.get("/record/juniper/").content.decode()
    assert "voice-recorder" not in client.get("/record/sentences/").content.decode()
    page = client.get("/record/").content.decode()
    assert "Say it" in page and "Read a sentence<" not in page


def test_only_contributors_record(client, rita, juniper):
    client.force_login(rita)
    assert client.get("/record/").status_code == 403
    assert send(client, "juniper").status_code == 403
    client.logout()
    assert send(client, "juniper").status_code == 302
    assert 'href="/record/"' not in Client().get("/").content.decode()


def test_a_closed_campaign_accepts_nothing(at, alice, juniper):
    Campaign.objects.update(stage="closed")
    assert at.get("/record/juniper/").status_code == send(at, "juniper").status_code == 404


def test_another_site_cannot_send_in_a_persons_name(alice, juniper):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert send(strict, "juniper").status_code == 403
    strict.get("/record/juniper/")
    token = strict.cookies["csrftoken"].value
    assert send(strict, "juniper", headers=BY_SCRIPT | {"x-csrftoken": token}).status_code == 201


def test_a_campaign_is_opened_with_sentences_from_a_file(db, tmp_path):
    file = tmp_path / "sentences.txt"
    file.write_text("  good   morning \n\nwhat time is it\ngood morning\n")
    options = {"kind": "transcription", "language": "en", "prompts": file, "stdout": StringIO()}
    call_command("create_campaign", "read", **options)
    assert list(Prompt.objects.order_by("id").values_list("text", flat=True)) == [
        "good morning",
        "what time is it",
    ]


@pytest.mark.parametrize(
    ("kind", "line", "problem"),
    [
        (
            "transcription",
            "a" * 151,
            "prompts: Line 2: Too long to read aloud in 15 s (about 150 letters).",
        ),
        ("transcription", "読" * 51, "prompts: Line 2: Too long"),
        ("transcription", "12" * 26, "prompts: Line 2: Too long"),
        ("wake-word", "hello", "prompts: Only transcription campaigns have sentences to read."),
    ],
)
def test_sentences_too_long_to_read_are_refused_with_their_line(db, tmp_path, kind, line, problem):
    file = tmp_path / "sentences.txt"
    file.write_text(f"\n{line}\n")
    with pytest.raises(CommandError) as refused:
        call_command("create_campaign", "x", kind=kind, language="en", wake_word="hey", prompts=file)
    assert problem in str(refused.value)
    assert Campaign.objects.count() == 0


def test_sentences_are_edited_as_lines_and_keep_their_counts(client, reading, db):
    root = give_factor(User.objects.create_superuser("root"))
    client.force_login(root)
    Prompt.objects.filter(text=SENTENCES[0]).update(times_read=4)
    address = f"/admin/datasets/campaign/{reading.pk}/change/"
    fields = client.get(address).context["adminform"].form.initial
    fields = {name: value for name, value in fields.items() if value is not None}
    lines = f"{SENTENCES[0]}\nanother sentence"
    assert client.post(address, fields | {"prompts": lines}).status_code == 302
    assert set(reading.prompts.values_list("text", "times_read")) == {
        (SENTENCES[0], 4),
        ("another sentence", 0),
    }
    refused = client.post(address, fields | {"prompts": "w" * 151})
    assert "Line 1: Too long" in refused.content.decode() and reading.prompts.count() == 2


def test_a_contributor_finds_the_page_in_the_menu(at):
    assert '<a href="/record/"' in at.get("/").content.decode()
    User.objects.update(roles=[])
    assert '<a href="/record/"' not in at.get("/").content.decode()


def test_a_changed_notice_must_be_answered_before_recording(client, dan, juniper, monkeypatch):
    notice = notices.current("en")
    consent.give(dan, Material.WAKE_WORD, [Purpose.VOLUNTEERS], NOW, notice=notice)
    client.force_login(dan)
    assert "voice-recorder" in client.get("/record/juniper/").content.decode()
    monkeypatch.setattr(notices, "current_version", lambda: notice.version + 1)
    page = client.get("/record/juniper/").content.decode()
    assert "The notice that you agreed to has changed since." in page and "voice-recorder" not in page
    assert send(client, "juniper").status_code == 403
    assert Clip.objects.count() == 0


def test_after_a_data_key_was_renewed_no_one_is_asked_to_read_a_sentence_again(alice, reading):
    sound = sounds.in_format("wav", sounds.babble(1, 1.5))
    read = recording.next_prompt(alice, reading)
    recording.share(alice, reading, sound, NOW, prompt=read)
    before = Reading.objects.get().mark
    renew_everything(alice)
    Prompt.objects.exclude(pk=read.pk).update(times_read=9)
    assert Reading.objects.get().mark != before
    assert recording.next_prompt(alice, reading) != read


@transaction.atomic
def renew_everything(person):
    old, new = keys.existing_key(person), keys.replace(person)
    for clip in person.clips.all():
        clip.wrap(keys.unseal(old, bytes(clip.wrapped_key), clip.key_label()), new)
        clip.save()
    recording.renew_marks(person)


def test_a_person_who_withdraws_a_clip_may_read_its_sentence_again(alice, reading):
    sound = sounds.in_format("wav", sounds.babble(1, 1.5))
    read = recording.next_prompt(alice, reading)
    recording.share(alice, reading, sound, NOW, prompt=read)
    Task.objects.all().delete()
    Prompt.objects.exclude(pk=read.pk).update(times_read=9)
    assert (Reading.objects.count(), recording.next_prompt(alice, reading)) == (0, read)
