"""Consent to speech synthesis: a box of its own, for utterances. A tick gives it, and one press ends it."""

import io
import json
import re
import shutil
import zipfile

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import consent, notices, receipts, signing
from accounts.models import Consent, Material, Purpose
from datasets import live as live_rule
from datasets.clips import intake
from datasets.models import Clip, Release, ReleaseRow, Task
from datasets.releases import versions
from tagger.privacy import personal_data
from tests.conftest import NOW
from tests.support import sounds
from tests.support.consent_page import BOXES, PAGE, Form, drawn, live
from tests.support.mutants import mutant

BOX = "utterance.synthesis"
HEARD = "utterance.volunteers"
OTHERS = BOXES - {BOX}
AUDIENCES = ["utterance.researchers", "utterance.public"]
ALONE = "Speech synthesis gets only utterances that named researchers or public releases may have."
# In every language that has the notice, in lower case.
MUST_BE_SAID = {
    "en": ("can be made to say anything", "cannot forget it", "on its own it has no effect",
           "licence of a public release may allow any use", "with one press of a button"),
    "es": ("decir cualquier cosa", "no puede olvidarla", "por sí sola no tiene efecto",
           "la licencia de una publicación abierta puede permitir cualquier uso", "pulsando un solo botón"),
    "de": ("alles sagen lassen", "kann sie nicht vergessen", "allein hat es keine wirkung",
           "die lizenz eines öffentlichen datensatzes kann jede nutzung erlauben", "mit einem knopfdruck"),
    "fr": ("dire n’importe quoi", "ne peut pas l’oublier", "seule, elle n’a aucun effet",
           "la licence d’un jeu de données public peut autoriser tout usage", "sur un seul bouton"),
    "ar": ("يمكن جعله يقول أي شيء", "لا يستطيع أن ينساه", "وحدها لا أثر لها",
           "قد تسمح رخصة إصدار عام بأي استخدام", "بضغطة زر واحدة"),
}  # fmt: skip


@pytest.fixture
def said(wendy, sentences):
    """Stores something that Wendy said; returns its task."""

    def stored():
        sound = intake.read(sounds.in_format("wav", sounds.tone(0.5)))
        intake.add(sound, sentences, intake.Origin(wendy, Clip.Source.BROWSER, "en"), timezone.now())
        return Task.objects.get()

    return stored


@pytest.fixture
def row(said):
    """Puts what Wendy said into a release; returns the row."""

    def released():
        line = versions.line_of(None, NOW)
        release = Release.objects.create(slug="spoken", line=line, published_at=NOW)
        return ReleaseRow.objects.create(
            release=release, task=said(), public_id="r1", speaker="s", split="train", confidence=1
        )

    return released


def for_synthesis():
    """The rows that a release for speech synthesis may hold now."""
    asked = consent.live_for("task__clip__contributor", "task__clip__material", Purpose.SYNTHESIS)
    return ReleaseRow.objects.filter(asked)


def after(page, box):
    """What the page shows between this box and the next one, or the form's button."""
    return re.split(r'<input type="checkbox"|<button', page.partition(f'name="{box}"')[2])[0]


@pytest.mark.parametrize("language", MUST_BE_SAID)
def test_the_page_says_what_can_be_done_with_a_voice_before_it_asks(here, language):
    read, asks, form = drawn(here.get(PAGE, {"language": language})).partition(f'name="{BOX}"')
    assert asks and [words for words in MUST_BE_SAID[language] if words not in read.lower()] == []
    [supplement] = notices.supplements(language)
    assert notices.boxes(supplement)[f"{BOX}.risk"] in form.partition("</div>")[0]


def test_every_language_of_the_notice_says_it():
    assert MUST_BE_SAID.keys() == set(notices.languages())


@mutant(
    "no speech synthesis without its own yes",
    "accounts/consent.py",
    kept_by="contributor=OuterRef(contributor), material=OuterRef(material), purpose=purpose\n",
    broken="contributor=OuterRef(contributor), material=OuterRef(material)\n",
)
def test_all_other_boxes_together_do_not_allow_it(tick, wendy, row):
    tick(*OTHERS)
    task = row().task
    for audience in (Purpose.RESEARCHERS, Purpose.PUBLIC):
        assert Task.objects.live_for(audience).get() == task
    assert not Task.objects.live_for(Purpose.SYNTHESIS).exists()
    assert not for_synthesis().exists()
    assert not consent.allows(wendy, Material.UTTERANCE, Purpose.SYNTHESIS)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_its_own_yes_allows_it_for_those_who_may_have_the_words(tick, row, audience):
    tick(HEARD, audience, BOX)
    found = row()
    assert list(for_synthesis()) == [found]
    assert list(Task.objects.live_for(Purpose.SYNTHESIS)) == [found.task]
    condition = live_rule.task_condition(Purpose.SYNTHESIS, "datasets_task.id")
    assert list(Task.objects.extra(where=[condition])) == [found.task]


@mutant(
    "consent to speech synthesis is refused alone",
    "accounts/consent_form.py",
    kept_by="            if Purpose.SYNTHESIS in purposes and allowed.isdisjoint(AUDIENCES):\n",
    broken="            if False:\n",
)
@pytest.mark.parametrize("others", [[], ["wake-word.volunteers", "wake-word.public"]])
def test_alone_it_is_refused_beside_its_box_and_nothing_is_given(tick, wendy, others):
    answer = tick(HEARD, BOX, *others)
    assert answer.status_code == 400
    shown = drawn(answer)
    assert ALONE in after(shown, BOX) and shown.count(ALONE) == 1
    assert live(wendy) == set()


def test_it_may_be_given_later_and_asks_for_nothing_else(tick, here, wendy, said):
    """Those who agreed before it was added are not asked again: nothing that they agreed to has changed."""
    tick(*OTHERS)
    before = set(wendy.consents.values_list("pk", flat=True))
    page = drawn(here.get(PAGE))
    assert "we are asking you again" not in page and "under an earlier notice" not in page
    assert Form(page, reverse("give_consent")).boxes() == {BOX: False}
    assert said()
    assert "Saved." in drawn(tick(BOX))
    assert live(wendy) == BOXES
    added = wendy.consents.exclude(pk__in=before).get()
    assert (added.material, added.purpose) == (Material.UTTERANCE, Purpose.SYNTHESIS)


def test_it_refers_to_the_supplement_that_was_read_and_the_others_to_the_notice(tick, here, wendy):
    tick(HEARD, "utterance.public", BOX, language="es")
    given = {each.purpose: each.notice for each in wendy.consents.select_related("notice")}
    supplement = given.pop(Purpose.SYNTHESIS)
    assert (supplement.purpose, supplement.language) == (Purpose.SYNTHESIS, "es")
    assert supplement.text == (notices.FOLDER / f"{supplement.version}.es.synthesis.md").read_text()
    assert {notice.purpose for notice in given.values()} == {""}
    page = drawn(here.get(PAGE, {"language": "es"}))
    assert supplement.sha256 in page and given[Purpose.PUBLIC].sha256 in page


def test_a_form_with_another_supplement_than_todays_gives_nothing(here, wendy):
    read = Form(drawn(here.get(PAGE)), reverse("give_consent")).hidden()
    older = read | {"read": notices.current("en").sha256, HEARD: "on", "utterance.public": "on", BOX: "on"}
    answer = drawn(here.post(reverse("give_consent"), older, follow=True))
    assert "The notice changed while you read it" in answer
    assert live(wendy) == set()


@mutant(
    "consent to speech synthesis can be withdrawn alone",
    "accounts/consent.py",
    kept_by="        ending = ending.filter(purpose=purpose)\n",
    broken="        ending = ending.filter(purpose=purpose).exclude(purpose=Purpose.SYNTHESIS)\n",
)
def test_withdrawn_alone_it_ends_and_the_others_stay(tick, here, withdraw, wendy, row):
    tick(*BOXES)
    found = row()
    buttons = Form(drawn(here.get(PAGE)), reverse("withdraw_consent"))
    shown = [buttons.hidden(number) for number in range(len(buttons.found))]
    [pressed] = [each for each in shown if each.get("purpose") == Purpose.SYNTHESIS]
    assert "Withdrawn: 1 consent." in drawn(withdraw(**pressed))
    assert live(wendy) == OTHERS
    assert not for_synthesis().exists() and not Task.objects.live_for(Purpose.SYNTHESIS).exists()
    assert Task.objects.live_for(Purpose.PUBLIC).get() == found.task
    assert Clip.objects.get().withdrawal is None


@mutant(
    "speech synthesis ends with the last who may have the words, and does not come back unasked",
    "accounts/consent.py",
    kept_by="return _end(ending, at) + _end_synthesis_without_audience(contributor, at)\n",
    broken="return _end(ending, at)\n",
)
def test_it_ends_with_the_last_who_may_have_the_words_and_does_not_come_back_unasked(tick, withdraw, wendy):
    tick(*BOXES)
    withdraw(material="utterance", purpose="researchers")
    assert BOX in live(wendy)
    assert "Withdrawn: 2 consents." in drawn(withdraw(material="utterance", purpose="public"))
    assert BOX not in live(wendy)
    tick("utterance.public")
    assert live(wendy) == OTHERS - {"utterance.researchers"}


def test_who_withdraws_the_audience_while_the_form_is_sent_gives_it_to_no_one(tick, here, wendy, monkeypatch):
    """In another window, after the form was checked."""
    tick(HEARD, "utterance.public")
    answer = consent.answer

    def answer_late(contributor, *args, **words):
        consent.withdraw(contributor, timezone.now(), purpose=Purpose.PUBLIC)
        answer(contributor, *args, **words)

    monkeypatch.setattr(consent, "answer", answer_late)
    tick(BOX)
    assert live(wendy) == {HEARD}


def test_withdrawing_from_volunteers_ends_it_too(tick, withdraw, wendy):
    tick(*BOXES)
    withdraw(material="utterance", purpose="volunteers")
    assert live(wendy) == {box for box in BOXES if box.startswith("wake-word")}


def test_there_is_none_for_wake_words(tick, here, wendy):
    assert "wake-word.synthesis" not in Form(drawn(here.get(PAGE)), reverse("give_consent")).boxes()
    tick("wake-word.volunteers", "wake-word.public", "wake-word.synthesis")
    assert live(wendy) == {"wake-word.volunteers", "wake-word.public"}
    with pytest.raises(ValueError, match="consent to wake-word cannot be given for synthesis"):
        consent.give(wendy, Material.WAKE_WORD, Purpose, NOW, reference="on paper")
    words = {"contributor": wendy, "at": NOW, "reference_hash": "0" * 64}
    with pytest.raises(IntegrityError, match="only_utterances_are_for_synthesis"), transaction.atomic():
        Consent.objects.create(material=Material.WAKE_WORD, purpose=Purpose.SYNTHESIS, **words)


def test_its_receipts_say_what_for_under_which_words_and_when_it_ended(tick, withdraw, wendy):
    tick(HEARD, "utterance.public", BOX)
    withdraw(material="utterance", purpose="synthesis")
    ended, given = (receipt.document() for receipt in receipts.for_contributor(wendy))
    [supplement] = notices.supplements("en")
    words = {"version": supplement.version, "language": "en", "sha256": supplement.sha256}
    *others, synthesis = given["pii_processing"]
    assert synthesis["purpose"] == "synthesis" and "speech synthesis" in synthesis["purpose_description"]
    assert synthesis["privacy_notice"] == words | {"supplement": "synthesis"}
    assert ["supplement" in each["privacy_notice"] for each in others] == [False, False]
    assert [each["purpose"] for each in ended["pii_processing"]] == ["synthesis"]
    assert ended["events"][0]["event_state"] == "withdrawn"
    for receipt in (ended, given):
        signing.verify(receipt)


def test_who_takes_their_data_along_has_its_words_and_when_it_was_given(tick, wendy):
    tick(HEARD, "utterance.public", BOX)
    packed = zipfile.ZipFile(io.BytesIO(b"".join(personal_data.archive(wendy, NOW))))
    [supplement] = notices.supplements("en")
    words = packed.read(f"notices/{supplement.version}.en.synthesis.txt").decode()
    assert words == supplement.text
    given = [each for each in json.loads(packed.read("consents.json")) if each["purpose"] == "synthesis"]
    assert [each["notice"]["sha256"] for each in given] == [supplement.sha256]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The texts, to be changed."""
    copied = tmp_path / "notices"
    shutil.copytree(notices.FOLDER, copied)
    monkeypatch.setattr(notices, "FOLDER", copied)
    return copied


def test_a_supplement_must_exist_in_every_language(folder):
    version = notices.current_version()
    (folder / f"{version}.fr.synthesis.md").unlink()
    monkey = folder.rename(folder.with_name("one is missing"))
    with pytest.raises(notices.BadNotice, match=f"supplement “synthesis” to version {version} .* lacks: fr"):
        notices._texts(monkey)


def test_a_supplement_must_be_about_a_purpose(folder):
    (folder / f"{notices.current_version()}.en.singing.md").write_text("?")
    with pytest.raises(notices.BadNotice, match="but there is no purpose “singing”"):
        notices._texts(folder.rename(folder.with_name("another purpose")))


def test_a_published_supplement_is_never_edited(db, folder, monkeypatch):
    version = notices.current_version()
    notices.supplements("en")
    (folder / f"{version}.en.synthesis.md").write_text("You give us your voice.")
    monkeypatch.setattr(notices, "FOLDER", folder.rename(folder.with_name("edited")))
    message = rf"{version}\.en\.synthesis\.md has other words .*: {version + 1}\.en\.synthesis\.md"
    with pytest.raises(notices.BadNotice, match=message):
        notices.supplements("en")
