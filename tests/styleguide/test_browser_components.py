"""Tabs, dialogs, the copy button and the place to drop files, in a browser, with scripts and without."""

import pytest
from playwright.sync_api import expect

from tests.support import access
from tests.support.access import Looker, Mode


@pytest.fixture(scope="module")
def admin(browser, site):
    """The log-in of someone who runs the site."""
    [found] = [each for each in access.shown_by(site)["shown"] if each["visitor"] == "admin"]
    return access.cookies(found, site.url)


@pytest.fixture
def styleguide(admin, site, visit):
    def opened(address="/styleguide/", **options):
        page = visit(base_url=site.url, **options)
        page.context.add_cookies(admin)
        page.goto(address)
        return page

    return opened


def test_tabs_dialogs_and_the_copy_button_work_by_keys(styleguide):
    page = styleguide()
    clips = page.get_by_role("tab", name="Clips")
    page.get_by_role("tab", name="Overview").focus()
    page.keyboard.press("ArrowRight")
    expect(clips).to_be_focused()
    expect(clips).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name="Clips")).to_be_visible()
    expect(page.locator("#tab-overview")).to_be_hidden()
    assert page.url.endswith("#tab-clips")
    page.keyboard.press("End")
    expect(page.get_by_role("tabpanel", name="People")).to_be_visible()

    opener = page.get_by_role("link", name="Close the campaign")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Close “Hey Juniper”?")).to_be_visible()
    assert Looker(page).faults(Mode(360, "dark", 100)) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()

    page.get_by_role("button", name="Copy").press("Enter")
    expect(page.locator("code-block [role=status]")).to_have_text("Copied")
    page.get_by_label("Purpose").first.focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Purpose").first).to_have_value(page.locator("code-block code").text_content())


def test_dropped_files_are_chosen_and_listed(styleguide):
    page = styleguide()
    page.evaluate("""() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([new Uint8Array(2500)], "one.wav"));
        document.querySelector("file-drop").dispatchEvent(new DragEvent("drop", { dataTransfer }));
    }""")
    expect(page.locator("file-drop .chosen")).to_contain_text("one.wav")
    expect(page.locator("file-drop .chosen")).to_contain_text("3 kB")
    assert page.locator("file-drop input").evaluate("(input) => input.files.length") == 1


def test_without_scripts_tabs_are_sections_and_the_dialog_is_a_page(styleguide):
    page = styleguide(java_script_enabled=False)
    for part in ("overview", "clips", "people"):
        expect(page.locator(f"#tab-{part}")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_role("link", name="Close the campaign").click()
    expect(page.locator("#sample-dialog")).to_be_visible()
    page.get_by_role("link", name="Keep it open").click()
    expect(page.locator("#sample-dialog")).to_be_hidden()


def test_no_section_has_a_fault_in_forced_colours_or_from_right_to_left(styleguide):
    page = styleguide(locale="ar", forced_colors="active")
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert Looker(page).faults(Mode(360, "light", 200)) == []
    assert Looker(page).faults(Mode(320, "light", 100)) == []
