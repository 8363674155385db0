"""Pages in every language on a phone, and choosing a language, in a real browser."""

from itertools import count

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, make_pledge, too_small
from tests.support.people import PASSWORD
from tests.whole_site.test_browser_journey import open_campaign

# The labels of pseudonym and password, the button for signing up, and the heading of the page after it.
SIGNS_UP = {
    "de": ("Pseudonym", "Passwort", "Registrieren", "Wähle, was du hören möchtest"),
    "es": ("Seudónimo", "Contraseña", "Crear una cuenta", "Elige qué escuchar"),
    "fr": ("Pseudonyme", "Mot de passe", "S’inscrire", "Choisissez quoi écouter"),
    "ar": ("الاسم المستعار", "كلمة المرور", "إنشاء حساب", "اختر ما تريد الاستماع إليه"),
}
DIRECTION = {"de": "ltr", "es": "ltr", "fr": "ltr", "ar": "rtl"}
BROWSERS = {"de": "de-AT", "es": "es-MX", "fr": "fr-CA", "ar": "ar-EG"}
OPEN_TO_ALL = (
    *("/", "/accounts/login/", "/accounts/signup/", "/receipts/", "/ledger/", "/who-runs-this/"),
    "/releases/",
)
MAIN = (
    "/tag/",
    "/tag/juniper/",
    "/tag/sentences/",
    "/profile/",
    "/profile/consent/",
    "/record/",
    "/my-clips/",
)
FIRST = ("/first-minute/", "/first-minute/practice/?next=/tag/sentences/", "/first-minute/ready/")
MORE = ("/my-answers/", "/record/juniper/", "/leave/", "/accounts/password/change/", "/accounts/logout/")
numbers = count(1)  # so that no two people of this module have the same name


@pytest.fixture(scope="module")
def published(browser, site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("languages")
    open_campaign(site, "juniper", folder, 3, "--kind", "wake-word", "--wake-word", "hey juniper")
    open_campaign(site, "sentences", folder, 3, "--kind", "transcription")
    return site


@pytest.fixture
def person(published, visit):
    """Signs a person up in the language that their browser asks for."""

    def sign_up(language, **options):
        pseudonym, password, send, chooses = SIGNS_UP[language]
        name = f"{language}-{next(numbers)}"
        page = visit(base_url=published.url, locale=BROWSERS[language], **PHONE, **options)
        page.goto("/accounts/signup/")
        page.get_by_label(pseudonym).fill(name)
        page.get_by_label(password).fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name=send).click()
        expect(page.get_by_role("heading", name=chooses)).to_be_visible()
        make_pledge(page)
        return page

    return sign_up


def language_of(page):
    return page.locator("html").get_attribute("lang"), page.locator("html").get_attribute("dir")


@pytest.mark.parametrize("language", SIGNS_UP)
def test_every_main_page_fits_a_phone_in_the_browsers_language(published, visit, person, language):
    page = visit(base_url=published.url, locale=BROWSERS[language], **PHONE)
    check_pages(page, OPEN_TO_ALL, language)
    check_pages(person(language), FIRST + MAIN + MORE, language)


def check_pages(page, addresses, language):
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state()
        assert language_of(page) == (language, DIRECTION[language]), address
        assert sticks_out(page) == [], address
        assert [each for each in too_small(page) if 'name="language"' in each] == [], address


def sticks_out(page):
    """Elements outside of the window on either side: a right-to-left page overflows to the left."""
    return page.evaluate("""() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll("html, body *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5
                || each.getBoundingClientRect().left < -0.5 || each === document.documentElement)
            .map((each) => each.outerHTML.slice(0, 80))""")


def test_arabic_pages_run_right_to_left_but_time_left_to_right(person):
    page = person("ar")
    page.goto("/tag/juniper/")
    expect(page.get_by_role("button", name="نعم")).to_be_visible()
    back = page.locator("a.back")
    assert style(page, "a.back", "direction") == "rtl"
    assert page.evaluate("getComputedStyle(document.querySelector('a.back'), '::before').content").startswith(
        '"→"'
    )
    box, whole = back.bounding_box(), page.locator("main").bounding_box()
    assert box["x"] + box["width"] / 2 > whole["x"] + whole["width"] / 2
    for runs_as_time in (".transport", ".time", ".player-tools", ".speed select", "[data-move]"):
        assert style(page, runs_as_time, "direction") == "ltr"
    for whole in ("h1 bdi", ".time"):  # inside a sentence, too
        assert style(page, whole, "unicodeBidi") == "isolate"
    keys = page.get_by_role("button", name="المفاتيح والصوت")
    keys.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="المفاتيح")).to_be_visible()
    assert style(page, "dialog", "direction") == "rtl"
    assert sticks_out(page) == []


def style(page, selector, name):
    return page.evaluate(f"getComputedStyle(document.querySelector({selector!r}))['{name}']")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_changing_the_language_keeps_the_page_and_is_remembered(published, visit, scripts):
    page = visit(
        base_url=published.url, locale="es-ES", java_script_enabled=scripts, expected=["404"], **PHONE
    )
    page.goto("/accounts/login/?next=/tag/")
    expect(page.get_by_role("heading", name="Iniciar sesión")).to_be_visible()
    page.get_by_role("button", name="العربيّة").click()
    expect(page.get_by_role("heading", name="تسجيل الدخول")).to_be_visible()
    assert page.url == f"{published.url}/accounts/login/?next=/tag/"
    assert language_of(page) == ("ar", "rtl")
    page.goto("/nothing-here/")
    assert language_of(page) == ("ar", "rtl")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert page.url == f"{published.url}/nothing-here/"
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert set(cookies) <= {"django_language", "csrftoken"}  # the log-in form needs the second one
    assert (cookies["django_language"]["value"], cookies["django_language"]["sameSite"]) == ("en", "Lax")


def test_an_answer_can_be_given_in_spanish_from_signing_up_to_the_count(person):
    page = person("es", java_script_enabled=False)
    page.goto("/tag/sentences/")
    page.get_by_label("¿Qué se dice?").fill("una prueba")
    page.get_by_role("button", name="Enviar").click()
    expect(page.locator("#answered")).to_have_text("1")
    page.goto("/tag/")
    expect(page.get_by_text("Hasta ahora diste 1 respuesta. Gracias.")).to_be_visible()
