"""All page texts can be translated, the languages are complete, and pages are in the one asked for."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation.template import templatize
from django.views.defaults import server_error

from accounts import notices
from accounts.models import ProgramToken
from datasets.models import Campaign
from tagger.desk import wording
from tagger.lending import assignments
from tagger.lending.refusals import AnswerRefused
from tests.support import sounds

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = [code for code, _name in site_settings.LANGUAGES if code != "en"]
UNFINISHED = set()  # their untranslated texts are shown in English
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
IN_TEMPLATE = re.compile(
    r"""(?<!\w)(?:n?gettext|_|pgettext\(u?'[^']*',)\(?\s*u?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""", re.S
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w*\}")
TAG = re.compile(r"</?\w+[^>]*>")
HOW_TO_UPDATE = (
    "Run make messages; translate new texts into every language; run it again, and put both .po and .mo "
    "under version control."
)


def file_of(language, ending):
    return ROOT / "tagger" / "locale" / language / "LC_MESSAGES" / f"django.{ending}"


def entries(language):
    """Of the .po: {"msgid": …, "msgstr": …, "fuzzy": …}, for plurals "msgid_plural", "msgstr[0]" …"""
    blocks = re.split(r"\n\s*\n", file_of(language, "po").read_text(encoding="utf-8").strip())
    return [entry for entry in map(entry_of, blocks) if "msgid" in entry]


def entry_of(block):
    entry, key = {"fuzzy": False}, ""
    for line in block.splitlines():
        if line.startswith("#"):
            entry["fuzzy"] |= line.startswith("#,") and "fuzzy" in line
        elif line.startswith('"'):
            entry[key] += ast.literal_eval(line)
        elif line:
            key, _, text = line.partition(" ")
            entry[key] = ast.literal_eval(text)
    return entry


def forms(entry):
    return [text for name, text in entry.items() if name.startswith("msgstr")]


def compiled(language):
    """The catalogue in the .mo, as the gettext library reads it."""
    with file_of(language, "mo").open("rb") as file:
        return gettext.GNUTranslations(file)._catalog


def as_compiled(all_entries):
    catalogue = {}
    for entry in all_entries:
        if entry["fuzzy"] or not all(forms(entry)):
            continue
        name = "\x04".join(entry[part] for part in ("msgctxt", "msgid") if part in entry)
        if "msgid_plural" in entry:
            catalogue |= {(name, number): text for number, text in enumerate(forms(entry))}
        else:
            catalogue[name] = entry["msgstr"]
    catalogue[""] = re.sub(r"POT-Creation-Date:.*\n", "", catalogue[""])  # msgfmt leaves this line out
    return catalogue


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_matches_the_po_file(language):
    assert compiled(language) == as_compiled(entries(language)), HOW_TO_UPDATE


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each not in UNFINISHED])
def test_a_language_is_complete(language):
    missing = [entry["msgid"] for entry in entries(language) if entry["fuzzy"] or not all(forms(entry))]
    assert missing == [], HOW_TO_UPDATE


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each not in UNFINISHED])
def test_the_catalogue_contains_every_marked_text(language):
    known = {entry["msgid"] for entry in entries(language)}
    assert sorted((in_templates() | in_python()) - known) == [], HOW_TO_UPDATE


def in_templates():
    found = set()
    for path in sorted((ROOT / "templates").rglob("*.*")):
        marked = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        lines = [line for line in marked.splitlines() if not line.lstrip().startswith("#")]
        found |= {ast.literal_eval(text) for text in IN_TEMPLATE.findall("\n".join(lines))}
    assert "Skip to the content" in found
    return found


def in_python():
    found = set()
    for app in ("accounts", "datasets", "tagger"):
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if is_mark(node) and isinstance(node.args[0], ast.Constant):
                    found.add(node.args[0].value)
    assert "Decided. Thank you." in found
    return found


def is_mark(node):
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS
    return called and bool(node.args)


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_placeholders_and_html(language):
    broken = [
        (entry["msgid"], text)
        for entry in entries(language)
        if entry["msgid"]
        for text in forms(entry)
        if text and fixed_parts(text) not in map(fixed_parts, originals(entry))
    ]
    assert broken == []


def originals(entry):
    return [entry["msgid"], entry.get("msgid_plural", entry["msgid"])]


def fixed_parts(text):
    return tuple(sorted(PLACEHOLDER.findall(text))), tuple(sorted(TAG.findall(text)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_disguised_voice_is_never_called_anonymous(language):
    texts = " ".join(text for entry in entries(language) for text in forms(entry)).lower()
    assert not re.search(r"anónim|anonimi|anonym|مجهول", texts)


def test_spanish_uses_tu_everywhere():
    """One form of address, on pages and in the notice that people agree to now."""
    pages = {text for entry in entries("es") for text in forms(entry)}
    read = notices.FOLDER.glob(f"{notices.current_version()}.es*.md")
    notice = [line for path in read for line in path.read_text(encoding="utf-8").splitlines()]
    others = re.compile(r"\b(ustedes?|vosotr[oa]s|vuestr[oa]s?|\w+[áé]is)\b", re.IGNORECASE)
    assert [text for text in [*pages, *notice] if others.search(text)] == []


def test_spanish_uses_tu_for_what_django_and_allauth_say(client, db):
    page = client.get(reverse("account_signup"), headers={"Accept-Language": "es"}).content.decode()
    assert "Tu contraseña debe tener al menos 8 caracteres." in page


def test_pages_call_a_language_by_its_name_and_not_by_its_code():
    shown = re.compile(
        r'(?<!lang=")\{\{ *(?!form)[\w.]+\.language\b(?!\|language_name)|=[\w.]+\.language\|(?!lang)'
    )
    templates = (ROOT / "templates").rglob("*.html")
    assert [path.name for path in templates if shown.search(path.read_text(encoding="utf-8"))] == []


# --- the language of a page ---


def words_of(response):
    page = response.content.decode()
    language, direction = re.search(r'<html lang="([\w-]+)" dir="(\w+)">', page).groups()
    return language, direction, page


@pytest.mark.parametrize(
    ("asked", "language", "direction", "words"),
    [
        ("", "en", "ltr", "What we promise"),
        ("es-MX,es;q=0.9,en;q=0.8", "es", "ltr", "Lo que prometemos"),
        ("ar", "ar", "rtl", "ما نعد به"),
        ("de-AT,en;q=0.5", "de", "ltr", "Was wir versprechen"),
        ("fi,es;q=0.5", "es", "ltr", "Lo que prometemos"),
        ("fi", "en", "ltr", "What we promise"),
        ("x" * 2000, "en", "ltr", "What we promise"),
    ],
)
def test_a_page_is_in_the_language_the_browser_asks_for(db, client, asked, language, direction, words):
    answer = client.get("/", headers={"accept-language": asked} if asked else {})
    assert words_of(answer)[:2] == (language, direction)
    assert words in words_of(answer)[2]
    assert ("css/rtl.css" in words_of(answer)[2]) == (direction == "rtl")
    assert "Accept-Language" in answer["Vary"]


def test_the_chosen_language_outranks_the_browsers(db, client):
    client.get("/", headers={"accept-language": "es"})
    assert client.cookies == {}  # reading a page sets none
    answer = client.post("/language/", {"language": "ar", "next": "/accounts/login/?next=/tag/"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/tag/")
    language, direction, page = words_of(client.get("/", headers={"accept-language": "es"}))
    assert (language, direction) == ("ar", "rtl")
    assert 'value="ar" lang="ar" dir="rtl" aria-current="true">العربيّة</button>' in page


def test_the_choice_is_stored_only_in_a_cookie(db, client, settings, bea):
    client.force_login(bea)
    before = dict(client.session.items())
    with CaptureQueriesContext(connection) as asked:
        client.post("/language/", {"language": "es", "next": "/"})
    assert [query["sql"] for query in asked if not query["sql"].startswith("SELECT")] == []
    assert dict(client.session.items()) == before
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "es"


@pytest.mark.parametrize("flag", ["SECURE", "HTTPONLY", "SAMESITE"])
def test_the_cookie_has_the_flags_of_the_session_cookie(flag):
    ours, session = (getattr(site_settings, f"{name}_COOKIE_{flag}") for name in ("LANGUAGE", "SESSION"))
    assert ours == session


def test_choosing_needs_and_sets_no_csrf_token(db):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/language/", {"language": "es", "next": "/"}).status_code == 302
    assert set(strict.cookies) == {"django_language"}


@pytest.mark.parametrize("to", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_choosing_never_redirects_to_another_site(db, client, to):
    assert client.post("/language/", {"language": "es", "next": to})["Location"] == "/"


@pytest.mark.parametrize("language", ["xx", "", "../en", "e\0s"])
def test_an_unknown_language_is_not_stored(db, client, language):
    client.post("/language/", {"language": language, "next": "/"})
    assert client.cookies == {}


def test_a_get_request_does_not_choose(db, client):
    client.get("/language/?language=es")
    assert words_of(client.get("/"))[0] == "en"


def test_the_form_keeps_the_page_and_its_query(db, client):
    page = client.get("/accounts/login/?next=/tag/&x=%22%3E").content.decode()
    assert '<input type="hidden" name="next" value="/accounts/login/?next=/tag/&amp;x=%22%3E">' in page


def test_choosing_on_a_refused_form_leads_back_to_the_forms_page(client, alice):
    client.force_login(alice)
    came_from = {"referer": "http://testserver/profile/consent/"}
    form = client.get("/profile/consent/").content.decode()
    read = re.search(r'name="read" value="([^"]*)"', form).group(1)
    refused = client.post("/profile/consent/give/", {"language": "en", "read": read}, headers=came_from)
    assert refused.status_code == 400
    address = re.search(r'name="next" value="([^"]*)"', refused.content.decode()).group(1)
    assert client.post("/language/", {"language": "es", "next": address})["Location"] == came_from["referer"]


def test_error_pages_are_in_the_chosen_language(db, client):
    language, _, page = words_of(client.get("/nothing-here/", headers={"accept-language": "es"}))
    assert language == "es" and "Aquí no hay nada" in page


def test_the_page_for_server_errors_is_in_the_active_language(rf):
    with translation.override("ar"):
        language, direction, page = words_of(server_error(rf.get("/")))
    assert (language, direction) == ("ar", "rtl") and "حدث عطل عندنا" in page


# --- texts outside of templates ---


@pytest.mark.parametrize("address", ["/api/v1/campaigns/", "/api/v1/assignments/1/annotation/"])
def test_programs_read_english_regardless_of_accept_language(db, client, address):
    plain, asked = client.get(address), client.get(address, headers={"accept-language": "es"})
    assert plain.status_code == asked.status_code == 401
    assert plain.content == asked.content and b"credentials" in asked.content
    assert "Content-Language" not in asked and "Accept-Language" not in asked.get("Vary", "")


def test_a_refused_answer_is_explained_in_the_readers_language(client, share, bea, now):
    campaign = Campaign.objects.create(slug="j", kind="wake-word", language="en", wake_word="hey juniper")
    share(campaign)
    (lent,) = assignments.lend(bea, campaign, 1, now)
    client.force_login(bea)
    asked = {"accept-language": "es"}
    client.post(f"/assignments/{lent.pk}/skip/", headers=asked)
    late = client.post(f"/assignments/{lent.pk}/answer/", {"answer": "yes"}, headers=asked, follow=True)
    assert "Este clip ya estaba saltado." in late.content.decode()


def test_the_page_gets_a_refusal_in_the_readers_language_and_a_program_in_english(client, share, bea, now):
    campaign = Campaign.objects.create(slug="j", kind="wake-word", language="en", wake_word="hey juniper")
    share(campaign)
    (lent,) = assignments.lend(bea, campaign, 1, now)
    assignments.skip(bea, lent.pk, now)
    client.force_login(bea)
    spanish = {"accept-language": "es"}
    token = ProgramToken.objects.create(bea)[1]

    def refusal(**headers):
        address = f"/api/v1/assignments/{lent.pk}/annotation/"
        answer = client.post(
            address, {"answer": "yes"}, content_type="application/json", headers=spanish | headers
        )
        assert answer.status_code == 409
        return answer.json()["detail"]

    assert refusal() == "Este clip ya estaba saltado."
    client.logout()
    assert refusal(authorization=f"Token {token}") == "This clip was already skipped."


@pytest.mark.parametrize(
    "code", [code for code, words in wording.WORDS.items() if isinstance(words, Promise)]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_on_a_page_is_translated(code, language):
    with translation.override("en"):
        english = wording.in_words(AnswerRefused(code))
    with translation.override(language):
        translated = wording.in_words(AnswerRefused(code))
    assert translated != english or language in UNFINISHED


def test_a_refused_recording_is_explained_in_the_readers_language(client, alice, juniper):
    client.force_login(alice)
    file = sounds.in_format("wav", sounds.babble(seed=1, seconds=0.2))
    sent = {"audio": SimpleUploadedFile("a.wav", file)}
    answer = client.post("/record/juniper/", sent, headers={"accept-language": "es"})
    assert answer.status_code == 400 and "No se puede aceptar esta grabación: " in answer.content.decode()


def test_the_notice_is_shown_in_the_chosen_language(client, alice):
    client.force_login(alice)
    client.post("/language/", {"language": "es", "next": "/"})
    assert '<div lang="es" dir="ltr">' in client.get("/profile/consent/").content.decode()
    client.post("/language/", {"language": "ar", "next": "/"})
    page = client.get("/profile/consent/").content.decode()
    assert '<div lang="ar" dir="rtl">' in page and "الأصل ألّا يُخزَّن شيء منك." in page
