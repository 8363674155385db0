"""With the prefix that cookies have over HTTPS, a browser logs in, and the tagging page's script can send."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import expect, sync_playwright

from accounts.models import User
from tagger.welcome import pledge
from tests.support.browser import FLAGS, MISSING, chromium
from tests.support.desk import answered, wait_until_answerable
from tests.support.mutants import mutant
from tests.support.people import PASSWORD
from tests.whole_site.test_headers import https


@pytest.fixture
def site(live_server, settings, juniper, share):
    https(settings)
    User.objects.create_user("bea", password=PASSWORD, pledge=pledge.VERSION)
    for _ in range(2):
        share(juniper)
    return live_server


@contextmanager
def browser():
    """A page in a browser of its own: while one runs, Django refuses queries in this thread."""
    if (path := chromium()) is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running.new_page()
        running.close()


@mutant(
    "the tagging page sends answers from a site with HTTPS",
    "static/js/desk/sync/api.js",
    kept_by='cookies.get("__Host-csrftoken") ?? ',
    broken="",
)
def test_an_answer_is_sent_with_the_prefixed_cookies(site):
    with browser() as page:
        page.goto(f"{site.url}/accounts/login/")
        page.get_by_label("Pseudonym").fill("bea")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("heading", name="Choose what to listen to")).to_be_visible()
        named = {cookie["name"] for cookie in page.context.cookies()}
        page.locator('main a[href="/tag/juniper/"]').first.click()
        wait_until_answerable(page)
        # What is left of a time before the prefix must not be sent instead.
        page.evaluate("document.cookie = 'csrftoken=' + 'a'.repeat(32)")
        page.keyboard.press("1")
        answered(page, 1)
    assert {"__Host-csrftoken", "__Host-sessionid"} <= named
    assert not [name for name in named if not name.startswith("__Host-")]
    assert User.objects.get_by_natural_key("bea").annotations.count() == 1
