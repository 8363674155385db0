"""Opting in: seven boxes, none ticked beforehand. Ticked boxes give consent, and one button withdraws it."""

import re
import shutil
from pathlib import Path

import pytest
from django.db import IntegrityError
from django.urls import reverse
from django.utils import timezone

from accounts import consent, notices
from accounts.models import Consent, ConsentNotice, Material, Purpose, Role, User
from datasets.clips import intake, vault
from datasets.models import Clip
from tagger.lending import assignments
from tests.conftest import NOW
from tests.support import sounds
from tests.support.consent_page import BOXES, PAGE, Form, drawn, live
from tests.support.mutants import mutant
from tests.support.stored import files

ROOT = Path(__file__).resolve().parents[2]
WAKE_WORD, UTTERANCE = Material.WAKE_WORD, Material.UTTERANCE
DISGUISED = "wake-word.disguised"
# In every language that has the notice, in lower case.
MUST_BE_SAID = {
    "en": ("seconds around the wake word", "volunteers", "named researchers", "public releases",
           "recall feed", "no one asks you why", "age, sex, origin or income", "nothing new is stored"),
    "es": ("segundos alrededor", "personas voluntarias", "investigadores con nombre",
           "publicaciones abiertas", "lista de retiradas", "nadie te pregunta por qué",
           "edad, sexo, origen o ingresos", "no se guarda nada nuevo"),
    "ar": ("الثواني المحيطة بكلمة التنبيه", "المتطوعون", "باحثون معروفون", "الإصدارات العامة", "قائمة السحب",
           "لا يسألك أحد عن السبب", "عمرك أو جنسك أو أصلك أو دخلك", "لا يُخزَّن شيء جديد"),
    "de": ("sekunden um das aktivierungswort", "freiwillige", "namentlich bekannte forschende",
           "öffentliche datensätze", "rückrufliste", "niemand fragt dich, warum",
           "alter, geschlecht, herkunft oder einkommen", "wird nichts neues gespeichert"),
    "fr": ("secondes autour du mot d’activation", "bénévoles", "connues par leur nom",
           "jeux de données publics", "liste des retraits", "personne ne vous demande pourquoi",
           "ni votre âge, ni votre sexe, ni votre origine, ni vos revenus", "rien de nouveau n’est stocké"),
}  # fmt: skip


@pytest.fixture
def new_notice(tmp_path, monkeypatch):
    """Publishes another version of the notice, with one more sentence in it."""

    def published(languages=None):
        languages = languages or notices.languages()
        version = notices.current_version() + 1
        folder = tmp_path / f"notices {version}"
        shutil.copytree(notices.FOLDER, folder)
        for language in languages:
            for text in folder.glob(f"{version - 1}.{language}*.md"):
                newer = text.with_name(f"{version}{text.name.removeprefix(str(version - 1))}")
                newer.write_text(f"More happens now.\n\n{text.read_text()}")
        monkeypatch.setattr(notices, "FOLDER", folder)

    return published


@pytest.fixture
def record(wendy, juniper):
    """Stores one of Wendy's recordings; each pitch is another one."""

    def one_more(hertz=440):
        sound = intake.read(sounds.in_format("wav", sounds.tone(0.5, hertz=hertz)))
        intake.add(sound, juniper, intake.Origin(wendy, Clip.Source.BROWSER, "en"), timezone.now())

    return one_more


@mutant(
    "no box is ticked beforehand",
    "accounts/consent_form.py",
    kept_by="help_text=risk, required=False)",
    broken="help_text=risk, required=False, initial=True)",
)
@pytest.mark.parametrize("language", notices.languages())
def test_there_are_seven_boxes_and_one_for_the_disguise_and_none_is_ticked(here, language):
    page = drawn(here.get(PAGE, {"language": language}))
    assert Form(page, reverse("give_consent")).boxes() == dict.fromkeys(BOXES | {DISGUISED}, False)


def test_the_profile_links_to_it(here):
    assert f'href="{PAGE}"' in drawn(here.get("/profile/"))


def test_it_needs_a_log_in(client):
    assert client.get(PAGE).url.startswith("/accounts/login/")


def test_a_person_who_may_not_share_sees_no_boxes_and_can_give_nothing(client, sam):
    client.force_login(sam)
    assert Form(drawn(client.get(PAGE)), reverse("give_consent")).boxes() == {}
    assert client.post(reverse("give_consent"), {"wake-word.volunteers": "on"}).status_code == 403
    assert live(sam) == set()


@pytest.mark.parametrize(
    ("browser", "asked", "read"),
    [
        ("en", "", "en"),
        ("es-MX,es;q=0.9,en;q=0.8", "", "es"),
        ("fi,sv;q=0.5", "", "en"),
        ("fi,es;q=0.5,en;q=0.1", "", "es"),
        ("", "", "en"),
        ("en", "es", "es"),
        ("es", "en", "en"),
        ("de-AT,de;q=0.9", "", "de"),
        ("fr-CA,fr;q=0.9", "", "fr"),
        ("en", "../../etc", "en"),
    ],
)
def test_the_notice_is_in_the_browsers_language_unless_another_is_chosen(here, browser, asked, read):
    page = drawn(here.get(PAGE, {"language": asked} if asked else {}, headers={"accept-language": browser}))
    assert f'<div lang="{read}" dir="ltr">' in page
    heading = {
        "en": "What cannot be undone",
        "es": "Qué no tiene vuelta atrás",
        "de": "Was sich nicht rückgängig machen lässt",
        "fr": "Ce qui est irréversible",
    }
    assert heading[read] in page


def shape(text):
    """What stands where: its kind, and how many points."""
    return [(block.kind, len(block.lines)) for block in notices.blocks(text)]


def test_every_language_has_the_same_sections_and_boxes(db):
    texts = {code: [notices.current(code), *notices.supplements(code)] for code in notices.languages()}
    assert texts.keys() >= MUST_BE_SAID.keys()
    shapes = [[shape(text) for text in each] for each in texts.values()]
    assert [each for each in shapes if each != shapes[0]] == []
    buttons = {"give", "withdraw", "withdraw-all", "volunteers-first", "synthesis-alone"}
    names = sorted([*BOXES, DISGUISED, *Material, *buttons, "utterance.synthesis.risk"])
    for code, each in texts.items():
        boxes = [box for text in each for box in notices.boxes(text).items()]
        assert (code, sorted(name for name, _words in boxes)) == (code, names)
        assert all(words for _name, words in boxes)


@pytest.mark.parametrize("language", MUST_BE_SAID)
def test_the_notice_says_what_people_must_know_before(db, language):
    text = notices.current(language).text.lower()
    assert [words for words in MUST_BE_SAID[language] if words not in text] == []


def test_a_disguise_is_never_called_anything_stronger():
    """In these languages: English, German, Spanish and French. Anywhere, except for names given by others."""
    a_paper = "Speaker anonymisation using the McAdams"
    others = ("AnonymousUser", "voices are not anonymous", a_paper)
    kinds = {".py", ".html", ".md", ".js", ".css", ".txt"}
    places = ("accounts", "datasets", "tagger", "templates", "static", "docs")
    found = []
    files = (path for place in places for path in (ROOT / place).rglob("*") if path.is_file())
    for path in (path for path in files if path.suffix in kinds):
        text = path.read_text()
        for name in others:
            text = text.replace(name, "")
        found += [path.name] if re.search(r"an[oó]n[iy]m", text, re.IGNORECASE) else []
    assert found == []
    assert "disguised" in (notices.FOLDER / f"{notices.current_version()}.en.md").read_text()


@pytest.mark.parametrize(
    "boxes",
    [
        {"wake-word.volunteers"},
        {"utterance.volunteers"},
        {"wake-word.volunteers", "wake-word.researchers"},
        {"wake-word.volunteers", "utterance.volunteers", "utterance.public"},
        BOXES,
    ],
    ids=lambda boxes: "+".join(sorted(boxes)),
)
def test_only_the_ticked_boxes_are_given(tick, wendy, boxes):
    assert "Saved." in drawn(tick(*boxes))
    assert live(wendy) == boxes


def test_a_consent_refers_to_the_notice_that_was_read(tick, wendy):
    tick("wake-word.volunteers", language="es")
    notice = wendy.consents.get().notice
    assert (notice.version, notice.language) == (notices.current_version(), "es")
    assert notice.text == (notices.FOLDER / f"{notice.version}.es.md").read_text()


def test_nothing_ticked_gives_nothing_and_says_so(tick, wendy):
    answer = tick()
    assert answer.status_code == 400 and "nothing has changed" in drawn(answer)
    assert not wendy.consents.exists()


@pytest.mark.parametrize("box", sorted(box for box in BOXES if not box.endswith(Purpose.VOLUNTEERS)))
def test_no_one_gets_clips_that_volunteers_may_not_hear(tick, wendy, box):
    answer = tick(box)
    assert answer.status_code == 400 and "only clips that volunteers have labelled" in drawn(answer)
    assert live(wendy) == set()


def test_more_can_be_given_later_and_only_missing_boxes_are_shown(tick, here, wendy):
    tick("wake-word.volunteers")
    asked = Form(drawn(here.get(PAGE)), reverse("give_consent")).boxes()
    assert asked == dict.fromkeys(BOXES - {"wake-word.volunteers"}, False)
    tick("wake-word.researchers")
    assert live(wendy) == {"wake-word.volunteers", "wake-word.researchers"}


def test_sending_the_form_twice_gives_once(here, wendy):
    page = drawn(here.get(PAGE))
    fields = Form(page, reverse("give_consent")).hidden() | {"wake-word.volunteers": "on"}
    here.post(reverse("give_consent"), fields)
    here.post(reverse("give_consent"), fields)
    assert wendy.consents.count() == 1


def test_sending_the_form_again_after_agreeing_to_everything_gives_nothing(here, wendy):
    fields = Form(drawn(here.get(PAGE)), reverse("give_consent")).hidden() | dict.fromkeys(BOXES, "on")
    here.post(reverse("give_consent"), fields)
    answer = here.post(reverse("give_consent"), fields)
    assert answer.status_code == 400 and "You have already agreed to everything" in drawn(answer)
    assert wendy.consents.count() == len(BOXES)


def test_an_unknown_box_gives_nothing(tick, wendy):
    assert tick("wake-word.everybody", "everything").status_code == 400
    assert not wendy.consents.exists()


def test_clips_are_disguised_only_if_asked_for(tick, wendy):
    tick("wake-word.volunteers")
    assert not consent.is_disguised(wendy)


def test_a_requested_disguise_is_stored_in_the_one_consent_it_applies_to(tick, wendy):
    tick(*BOXES, DISGUISED)
    assert consent.is_disguised(wendy)
    [disguised] = wendy.consents.filter(disguised=True)
    assert (disguised.material, disguised.purpose) == (WAKE_WORD, Purpose.VOLUNTEERS)


def test_the_database_allows_a_disguise_for_nothing_else(wendy):
    words = {"contributor": wendy, "at": NOW, "reference_hash": "0" * 64, "disguised": True}
    with pytest.raises(IntegrityError, match="only_volunteers_hear_disguised"):
        Consent.objects.create(material=UTTERANCE, purpose=Purpose.VOLUNTEERS, **words)


def test_a_disguise_without_listeners_is_refused(tick, wendy):
    answer = tick("utterance.volunteers", DISGUISED)
    assert answer.status_code == 400 and "hear nothing, disguised or not" in drawn(answer)
    assert live(wendy) == set()


def test_one_button_switches_the_disguise_and_ends_no_consent(tick, here, wendy):
    tick("wake-word.volunteers", "wake-word.public")
    for wanted in ("yes", "no", "yes"):
        here.post(reverse("disguise"), {"disguised": wanted})
        assert consent.is_disguised(wendy) == (wanted == "yes")
        assert live(wendy) == {"wake-word.volunteers", "wake-word.public"}
    assert not wendy.consents.filter(withdraws__isnull=False).exists()


def test_switching_the_disguise_without_a_consent_gives_nothing(here, wendy):
    here.post(reverse("disguise"), {"disguised": "yes"})
    assert not wendy.consents.exists()


def test_each_live_consent_is_shown_with_its_own_button(tick, here):
    tick("wake-word.volunteers", "utterance.volunteers")
    page = drawn(here.get(PAGE))
    buttons = Form(page, reverse("withdraw_consent"))
    pairs = [{k: v for k, v in buttons.hidden(n).items() if k in {"material", "purpose"}} for n in range(3)]
    assert pairs == [
        {"material": "wake-word", "purpose": "volunteers"},
        {"material": "utterance", "purpose": "volunteers"},
        {},
    ]


def test_withdrawing_takes_one_press_and_asks_nothing(tick, here):
    """Giving takes two: a tick and a press. The button's form has nothing to fill in."""
    tick(*BOXES)
    for form in Form(drawn(here.get(PAGE)), reverse("withdraw_consent")).found:
        shown = [tag for tag, attributes in form if attributes.get("type") != "hidden"]
        assert shown == ["button"]


def test_one_button_ends_everything(tick, withdraw, wendy):
    tick(*BOXES)
    assert "Withdrawn: 7 consents." in drawn(withdraw())
    assert live(wendy) == set()


def test_one_consent_can_be_ended_alone(tick, withdraw, wendy):
    tick(*BOXES)
    withdraw(material="wake-word", purpose="public")
    assert live(wendy) == BOXES - {"wake-word.public"}


@mutant(
    "withdrawing from volunteers ends all consents of that material",
    "accounts/consent.py",
    kept_by="    if purpose and purpose != Purpose.VOLUNTEERS:",
    broken="    if purpose:",
)
def test_withdrawing_from_volunteers_ends_all_consents_of_that_material(tick, withdraw, wendy):
    tick(*BOXES)
    withdraw(material="wake-word", purpose="volunteers")
    assert live(wendy) == {f"utterance.{purpose}" for purpose in UTTERANCE.purposes}


def test_people_who_lost_the_role_can_still_withdraw(tick, withdraw, wendy):
    tick("wake-word.volunteers")
    User.objects.filter(pk=wendy.pk).update(roles=[Role.ANNOTATOR])
    withdraw()
    assert live(wendy) == set()


def test_withdrawing_ends_no_consent_of_anyone_else(alice, tick, withdraw):
    tick(*BOXES)
    before = live(alice)
    withdraw()
    assert live(alice) == before != set()


@pytest.mark.parametrize("nonsense", [{"material": "x"}, {"purpose": "volunteers\0"}, {"material": "public"}])
def test_nonsense_ends_nothing(tick, withdraw, wendy, nonsense):
    tick("wake-word.volunteers")
    assert withdraw(**nonsense).status_code == 404
    assert live(wendy) == {"wake-word.volunteers"}


@pytest.mark.parametrize("name", ["give_consent", "withdraw_consent", "disguise"])
def test_a_link_cannot_give_or_withdraw(here, name):
    answer = here.get(reverse(name))
    assert (answer.status_code, answer["Location"]) == (302, reverse("consent"))


@mutant(
    "nothing new is stored under an outdated notice",
    "accounts/consent.py",
    kept_by="found.filter(Q(notice=None) | Q(notice__version=notices.current_version()))",
    broken="found",
)
def test_a_changed_notice_stops_new_clips(tick, record, new_notice, own_home):
    tick("wake-word.volunteers")
    record()
    stored = files(own_home)
    new_notice()
    with pytest.raises(consent.NoticeChanged):
        record(hertz=880)
    assert Clip.objects.count() == 1
    assert files(own_home) == stored


def test_existing_clips_are_still_heard(tick, record, new_notice, bea, juniper):
    tick("wake-word.volunteers")
    record()
    new_notice()
    [lent] = assignments.lend(bea, juniper, 1, timezone.now())
    assert vault.get(assignments.playable(bea, lent.pk, timezone.now()))[:4] == b"RIFF"


def test_an_import_needs_its_reference_and_no_notice(alice, juniper, share, new_notice):
    new_notice()
    assert share(juniper)


def test_a_changed_notice_asks_again_with_nothing_ticked(tick, here, record, new_notice):
    tick(*BOXES)
    new_notice()
    page = drawn(here.get(PAGE))
    assert "we are asking you again" in page and "More happens now." in page
    assert Form(page, reverse("give_consent")).boxes() == dict.fromkeys(BOXES | {DISGUISED}, False)
    tick("wake-word.volunteers")
    record()
    assert Clip.objects.get().consent.notice.version == notices.current_version()


def test_consents_that_are_not_ticked_again_end_and_other_materials_stay(tick, new_notice, wendy):
    tick(*BOXES, DISGUISED)
    new_notice()
    tick("wake-word.volunteers", "wake-word.public")
    kept = {f"utterance.{purpose}" for purpose in UTTERANCE.purposes}
    assert live(wendy) == {"wake-word.volunteers", "wake-word.public"} | kept
    assert not consent.is_disguised(wendy)


@mutant(
    "a form sent after the notice changed gives nothing",
    "accounts/views_consent.py",
    kept_by="    if form.notice_has_changed():",
    broken="    if False:",
)
def test_a_form_sent_after_the_notice_changed_gives_nothing(here, new_notice, wendy):
    read = Form(drawn(here.get(PAGE)), reverse("give_consent")).hidden()
    new_notice()
    answer = here.post(reverse("give_consent"), read | {"wake-word.volunteers": "on"}, follow=True)
    assert "The notice changed while you read it" in drawn(answer)
    assert Form(drawn(answer), reverse("give_consent")).boxes() == dict.fromkeys(BOXES | {DISGUISED}, False)
    assert not wendy.consents.exists()


def test_a_text_changed_without_a_new_version_is_an_error_that_says_so(db, tmp_path, monkeypatch):
    notices.current("en")
    folder = tmp_path / "edited"
    shutil.copytree(notices.FOLDER, folder)
    now = notices.current_version()
    (folder / f"{now}.en.md").write_text("You give us everything.")
    monkeypatch.setattr(notices, "FOLDER", folder)
    message = rf"{now}\.en\.md has other words .* a new version: {now + 1}\.en\.md"
    with pytest.raises(notices.BadNotice, match=message):
        notices.current("en")


def test_a_version_must_exist_in_every_language(db, new_notice):
    version = notices.current_version() + 1
    new_notice(languages=["en"])
    with pytest.raises(notices.BadNotice, match=f"Version {version} of the notice lacks: .*es"):
        notices.current("en")


def test_a_texts_file_name_must_give_its_version(tmp_path, monkeypatch):
    (tmp_path / "notice.md").write_text("?")
    monkeypatch.setattr(notices, "FOLDER", tmp_path)
    with pytest.raises(notices.BadNotice, match=r"must be named VERSION\.LANGUAGE\.md"):
        notices.current_version()


def test_a_notice_is_stored_once(db):
    assert notices.current("en") == notices.current("en")
    assert ConsentNotice.objects.count() == 1
