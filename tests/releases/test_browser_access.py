"""In a browser: from the front page's address to a token that downloads, and how the steward sees it."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.accounts.test_browser_factors import confirm_if_asked
from tests.campaigns.test_browser_owner import APPOINT
from tests.support import access, desk
from tests.support.factors import code
from tests.support.people import PASSWORD
from tests.whole_site.test_browser_journey import open_campaign

# Olga runs the campaign, and its clips are settled.
SETTLE = """
from accounts.models import User
from datasets.models import Campaign, Task
Campaign.objects.update(owner=User.objects.get_by_natural_key("olga"))
votes = {"votes": {"yes": 2, "no": 0}, "shares": {"yes": 1.0, "no": 0.0}}
Task.objects.update(status="settled", plain_answer="yes", plain_soft=votes, confidence=0.9, dirty_since=None)
"""


@pytest.fixture
def olga(site, visit, tmp_path):
    """The steward of the release spring, logged in."""
    open_campaign(site, "juniper", tmp_path, 4, "--kind", "wake-word", "--wake-word", "hey juniper")
    page = desk.people(site, visit)("olga")
    site.manage("shell", "-c", APPOINT.format(name="olga"))
    site.manage("shell", "-c", SETTLE)
    site.manage("release", "spring", "--campaign", "juniper")
    return page


def looked_at(page):
    """In light and dark, at 360 and 1280 pixels."""
    return access.Looker(page).faults_in_all()


def test_from_the_front_page_to_a_token_that_downloads(site, visit, olga):
    page = visit(base_url=site.url, expected=["400"])
    page.goto("/")
    page.get_by_role("link", name="See what is in the releases, and how to get them").click()
    assert looked_at(page) == []
    page.get_by_role("link", name="spring", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("spring")
    assert looked_at(page) == []
    sign_up(page)
    set_up_an_app(page)
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("spring")
    ask(page)
    expect(page.locator("#main")).to_contain_text("You asked for it on")
    grant(olga)
    page.reload()
    expect(page.locator("#main")).to_contain_text("You may download it")
    assert looked_at(page) == []
    page.get_by_role("link", name="token", exact=True).click()
    page.get_by_label("download releases").check()
    page.get_by_role("button", name="Make a token").click()
    headers = {"Authorization": f"Token {page.locator('#token').inner_text()}"}
    archive = f"{site.url}/api/v1/releases/spring/precise.tar"
    assert httpx.get(archive, headers=headers, timeout=60).status_code == 200
    see_the_download(olga)
    withdraw(page)
    assert httpx.get(archive, headers=headers, timeout=60).status_code == 403


def sign_up(page):
    """It leads back to the release."""
    page.get_by_role("main").get_by_role("link", name="Sign up").click()
    page.get_by_label("Pseudonym").fill("rosa")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("spring")


def set_up_an_app(page):
    page.get_by_role("link", name="Set up a second factor").click()
    page.get_by_role("link", name="Set up an app").click()
    confirm_if_asked(page)
    page.get_by_label("Code").fill(code(page.locator("#secret").inner_text()))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def ask(page):
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is sent yet")
    assert looked_at(page) == []
    page.get_by_label("Your name").fill("Rosa Example, University of Examples")
    page.get_by_label("What you want it for").fill("To train a wake word.")
    page.get_by_label("I accept these terms.").check()
    page.get_by_role("button", name="Ask for it").click()


def grant(steward):
    steward.goto("/campaigns/")
    steward.get_by_role("link", name="1 person asks for a release").click()
    expect(steward.locator("#main")).to_contain_text("Rosa Example, University of Examples")
    assert looked_at(steward) == []
    steward.get_by_role("button", name="Grant").click()
    expect(steward.locator("#main")).to_contain_text("Granted.")


def see_the_download(steward):
    steward.goto("/campaigns/juniper/releases/")
    steward.get_by_role("link", name="Who downloaded it").click()
    expect(steward.locator("tbody tr")).to_contain_text("Rosa Example, University of Examples")
    assert looked_at(steward) == []


def withdraw(page):
    page.goto("/profile/")
    page.get_by_role("link", name="Releases you asked for").click()
    assert looked_at(page) == []
    page.get_by_role("button", name="Withdraw from the terms").click()
    expect(page.locator("#main")).to_contain_text("You withdrew from the terms")
