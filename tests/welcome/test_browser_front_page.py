"""The front page in a browser: a clip judged within it, its weight, and that nothing jumps or waits."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, too_wide
from tests.support.mutants import mutant

LIGHT = 150_000  # bytes of a page with its type, as they come over the line
SHIFTS = """() => new Promise((tell) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((each) => (sum += each.value)))
        .observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => tell(sum), 0)));
})"""


def weight(page, address):
    """Loads the page, and gives the bytes of each of its files by its path."""
    answered = []
    page.on("requestfinished", lambda request: answered.append(request))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return {each.url.split("?")[0]: each.sizes()["responseBodySize"] for each in answered}


@pytest.mark.parametrize("address", ["/", "/accounts/signup/"])
def test_a_page_is_light_and_nothing_jumps_while_it_loads(site, visit, address):
    page = visit(**PHONE)
    loaded = weight(page, site.url + address)
    [font] = [name for name in loaded if "/fonts/" in name]
    assert "commissioner-latin." in font
    assert sum(loaded.values()) < LIGHT, loaded
    assert page.evaluate(SHIFTS) == 0


def test_a_clip_is_judged_within_the_front_page(site, visit):
    page = visit(locale="en")
    page.goto(site.url)
    trying = page.locator("practice-desk")
    expect(trying).to_have_attribute("data-quiet", "")
    assert page.evaluate("[...document.querySelectorAll('audio')].every((each) => each.paused)")
    trying.get_by_role("button", name="Play").click()
    expect(trying.locator("[aria-disabled]")).to_have_count(0)
    trying.get_by_role("button", name=re.compile("^Similar")).click()
    expect(trying.get_by_role("status").filter(has_text="Not quite.")).to_be_visible()
    trying.get_by_role("button", name=re.compile("^Yes")).click()
    expect(trying.get_by_role("status").filter(has_text="Right.")).to_be_visible()
    trying.get_by_role("link", name="Next clip").click()
    expect(page).to_have_url(f"{site.url}/try/?clip=2")
    assert page.context.cookies() == []


@mutant(
    "a theme that was chosen has its own colours, whatever the device asks for",
    "templates/base.html",
    kept_by="css/dark.css' %}\"{% if not theme %}",
    broken="css/dark.css' %}\"{% if True %}",
)
def test_without_a_script_the_page_is_whole_a_clip_can_be_judged_and_a_theme_be_chosen(site, visit):
    page = visit(locale="en", java_script_enabled=False, viewport={"width": 320, "height": 640})
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Help machines understand everyone.")).to_be_visible()
    expect(page.locator("audio[controls]")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Yes")).click()
    expect(page.get_by_text("Right.")).to_be_visible()
    choose_each_theme(page)


def choose_each_theme(page):
    """Without a script there is nothing that could change the colours after the first ones were drawn."""
    device, paper = page.emulate_media, {"light": "rgb(247, 245, 240)", "dark": "rgb(20, 25, 26)"}
    for choice, kept, shown in (
        ("", None, {"light": "light", "dark": "dark"}),
        ("Dark", "dark", {"light": "dark", "dark": "dark"}),
        ("Light", "light", {"light": "light", "dark": "light"}),
        ("As my device", None, {"light": "light", "dark": "dark"}),
    ):
        if choice:
            page.get_by_role("button", name=choice, exact=True).click()
            expect(page.get_by_role("button", name=choice, exact=True)).to_have_attribute(
                "aria-current", "true"
            )
        cookies = {each["name"]: each["value"] for each in page.context.cookies()}
        assert cookies.get("theme") == kept
        for asked, theme in shown.items():
            device(color_scheme=asked)
            expect(page.locator("body")).to_have_css("background-color", paper[theme])


@pytest.mark.parametrize("width", [320, 360, 740, 768, 1280])
def test_it_fits_every_screen(site, visit, width):
    page = visit(viewport={"width": width, "height": 700})
    page.goto(site.url)
    assert not too_wide(page)
