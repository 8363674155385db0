"""Opting in and out in a browser, counting every click."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, too_small

PASSWORD = "a long pass phrase"
ENGLISH = ("Pseudonym", "Password", "Sign up", "Choose what to listen to", "See and change what you share")
SPANISH = (
    "Seudónimo",
    "Contraseña",
    "Crear una cuenta",
    "Elige qué escuchar",
    "Ver y cambiar lo que compartes",
)


@pytest.fixture
def sharer(site, visit):
    """Signs up and opens the page on which consent is given."""

    def sign_up(name, words=ENGLISH, **options):
        pseudonym, password, send, chooses, shares = words
        page = visit(base_url=site.url, **options)
        page.goto("/accounts/signup/")
        page.get_by_label(pseudonym).fill(name)
        page.get_by_label(password).fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name=send).click()
        expect(page.get_by_role("heading", name=chooses)).to_be_visible()
        page.goto("/profile/")
        page.get_by_role("link", name=shares).click()
        return page

    return sign_up


def test_withdrawing_takes_no_more_clicks_than_giving(sharer):
    page = sharer("clicker")
    giving = [
        page.get_by_label("Volunteers may hear my wake-word clips"),
        page.get_by_role("button", name="Agree to what is ticked"),
    ]
    for place in giving:
        place.click()
    expect(page.get_by_text(re.compile(r"given on \w"))).to_have_count(1)
    withdrawing = [page.get_by_role("button", name="Withdraw everything")]
    for place in withdrawing:
        place.click()
    expect(page.get_by_text("You share nothing.")).to_be_visible()
    assert len(withdrawing) <= len(giving)


def test_speech_synthesis_is_refused_alone_and_withdrawn_by_one_press_on_a_phone(sharer):
    page = sharer("speaker", expected=["400"], **PHONE)
    agree = page.get_by_role("button", name="Agree to what is ticked")
    box = page.get_by_role("checkbox", name="Speech synthesis may be trained on my utterances")
    expect(box).to_have_accessible_description(re.compile("could say anything"))
    page.get_by_label("Volunteers may hear my utterances").check()
    box.check()
    agree.click()
    expect(box).to_have_accessible_description(
        re.compile("could say anything.*Without one of those two boxes")
    )
    expect(box).to_be_focused()
    expect(box).to_be_in_viewport()
    expect(page.get_by_text("Without one of those two boxes")).to_be_in_viewport()
    fits(page)
    page.get_by_label("Named researchers may have my utterances").check()
    agree.click()
    expect(page.get_by_text(re.compile(r"given on \w"))).to_have_count(3)
    page.get_by_role("button", name=re.compile("Withdraw.*: Speech synthesis")).click()
    expect(page.get_by_text("Withdrawn: 1 consent.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"given on \w"))).to_have_count(2)
    expect(box).not_to_be_checked()
    assert too_small(page) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_receipt_is_there_immediately_and_checked_without_an_account(
    sharer, visit, site, scripts, tmp_path
):
    page = sharer(f"keeper-{scripts}".lower(), java_script_enabled=scripts)
    page.get_by_label("Volunteers may hear my utterances").check()
    page.get_by_role("button", name="Agree to what is ticked").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    file = tmp_path / "receipt.json"
    download.value.save_as(file)

    stranger = visit(base_url=site.url, java_script_enabled=scripts)
    stranger.goto("/receipts/")
    stranger.get_by_label("or choose its file").set_input_files(file)
    stranger.get_by_role("button", name="Check").click()
    expect(stranger.get_by_text("This site signed it, and it has not been changed.")).to_be_visible()
    stranger.get_by_label("Paste a receipt").fill(
        json.dumps(json.loads(file.read_text()) | {"issued_at": "1999"})
    )
    stranger.get_by_role("button", name="Check").click()
    expect(stranger.get_by_text("This receipt could not be verified.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_the_screen_in_every_state(sharer, width, scheme):
    viewport = {"width": width, "height": 800}
    page = sharer(f"fits-{width}-{scheme}", SPANISH, viewport=viewport, color_scheme=scheme, locale="es-ES")
    expect(page.get_by_role("heading", name="Qué no tiene vuelta atrás")).to_be_visible()
    fits(page)
    for box in page.get_by_role("checkbox").all():
        expect(box).not_to_be_checked()
        box.check()
    page.get_by_role("button", name="Dar permiso para lo marcado").click()
    expect(page.get_by_text("dado el")).to_have_count(7)
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Descargar").click()
    page.get_by_role("link", name="comprobar uno").click()
    page.get_by_label("Pega un recibo").fill(download.value.path().read_text())
    page.get_by_role("button", name="Comprobar").click()
    page.get_by_text("Todos los campos").click()
    fits(page)


def fits(page):
    """Neither the page nor any card on it overflows its width."""
    page.wait_for_load_state()  # the text can be there before the style sheets
    found = page.evaluate("""
        [...document.querySelectorAll("html, .card")]
            .filter(each => each.scrollWidth > each.clientWidth)
            .map(each => [each.tagName, each.className, each.scrollWidth, each.clientWidth])
    """)
    assert found == []
