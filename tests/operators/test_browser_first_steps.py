"""In a browser: from an empty site to its first open campaign with clips, as its first admin walks it."""

from functools import partial

import pytest
from playwright.sync_api import expect

from tests.imports.test_browser_imports import bring_clips
from tests.support.browser import PHONE, too_small, too_wide
from tests.support.factors import code
from tests.support.people import PASSWORD
from tests.support.site import eventually

FIRST_ADMIN = """
import os
from django.core.management import call_command
os.environ["DJANGO_SUPERUSER_PASSWORD"] = {password!r}
call_command("createsuperuser", username={name!r}, interactive=False)
"""
FILES = 6


@pytest.fixture
def first_admin(site, visit):
    """They made their account by the command, logged in, and were led to the second factor."""

    def begin(name, **options):
        made = site.manage("shell", "-v", "0", "-c", FIRST_ADMIN.format(name=name, password=PASSWORD))
        assert "/first-steps/ leads on" in made.stdout
        page = visit(base_url=site.url, expected=["400"], **options)
        page.goto("/accounts/login/")
        page.locator("main [name=login]").fill(name)
        page.locator("main [name=password]").fill(PASSWORD)
        page.locator("main button.primary").first.click()
        page.locator("a[href='/accounts/2fa/totp/activate/']").click()
        page.locator("[name=code]").fill(code(page.locator("#secret").inner_text()))
        page.locator("form:has(#secret) button.primary").click()
        expect(page.locator("#recovery-codes")).to_be_visible()
        return page

    return begin


def test_from_the_first_admin_to_the_first_open_campaign_with_clips(site, first_admin, visit):
    stranger = visit(base_url=site.url)
    stranger.goto("/")
    expect(stranger.get_by_text("This site is being set up")).to_be_visible()
    page = first_admin("olivia")
    page.goto("/")
    page.locator(".next-step a.button").click()
    expect(page.locator(".first-steps [aria-current=step]")).to_have_attribute("id", "operator")
    say_who_runs_it(page)
    give_oneself_the_role_of_reviewer(page)
    page.locator("#campaign a.button").click()
    make(page)
    page.goto("/first-steps/")
    page.locator("#clips a.button").click()
    bring_clips(page, FILES)
    page.goto("/first-steps/")
    page.locator("#campaign a.button").click()
    page.locator("button[name=stage][value=open]").click()
    page.goto("/first-steps/")
    expect(page.locator(".first-steps [aria-current=step]")).to_have_count(0)
    expect(page.locator(".first-steps .badge.good")).to_have_count(4)
    expect(page.locator("#invite .badge")).to_have_text("not needed")
    page.goto("/profile/")
    expect(page.locator("nav a[href='/first-steps/']")).to_have_count(0)
    stranger.goto("/")
    expect(stranger.get_by_role("heading", name="Amaryllis")).to_be_visible()
    # Each process of the site keeps for some seconds what it last read.
    assert eventually(partial(leads_to_who_runs_it, stranger), 60)
    stranger.locator("footer a[href='/who-runs-this/']").click()
    expect(stranger.get_by_role("link", name="hello@juniper.example")).to_be_visible()


def leads_to_who_runs_it(page):
    page.goto("/")
    return page.locator("footer a[href='/who-runs-this/']").count() == 1


def say_who_runs_it(page):
    page.locator("#operator button.primary").click()
    expect(page.locator("#operator .errorlist").first).to_be_visible()
    page.locator("#operator [name=name]").fill("The Juniper Society")
    page.locator("#operator [name=contact]").fill("hello@juniper.example")
    page.locator("#operator [name=privacy_text]").fill("We keep **nothing** by default.")
    page.locator("#operator button.primary").click()
    expect(page.locator("#operator .badge.good")).to_be_visible()


def give_oneself_the_role_of_reviewer(page):
    page.locator("#roles [name=pseudonym]").fill("olivia")
    page.locator("#roles [name=roles][value=reviewer]").check()
    page.locator("#roles form button").click()
    expect(page.locator("#roles .badge.good")).to_be_visible()


def make(page):
    for field, text in {
        "slug": "amaryllis",
        "title": "Amaryllis",
        "language": "en",
        "wake_word": "hey amaryllis",
    }.items():
        page.locator(f".owned-form [name={field}]").fill(text)
    page.locator("[name=kind][value=wake-word]").check()
    page.locator(".owned-form > .actions button.primary").click()
    expect(page.locator(".owned-tabs [aria-current=page]")).to_be_visible()


def test_the_pages_fit_a_phone(first_admin):
    page = first_admin("oscar", **PHONE)
    for address in ("/first-steps/", "/who-runs-this/", "/", "/tag/"):
        page.goto(address)
        assert too_wide(page) == [], address
        assert too_small(page) == [], address
