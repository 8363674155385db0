"""Chromium for tests of what a person sees. Without one, such tests are left out, and the summary says so."""

import os
import shutil
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.people import PASSWORD

WHOLE = ("chromium", "chromium-browser", "google-chrome")
# Chromium without its own windows: half of the work for each person that a test lets in.
NAMES = ("chromium-headless-shell", *WHOLE)
MISSING = "no Chromium found"
# Chromium heeds only the last --disable-features, so the first ones are those that Playwright names.
LEFT_OUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    # For each new window Chromium 156 loads the pages of its own address bar: half of a short test's time.
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
    # It also starts a process in case the next page needs one.
    "SpareRendererForSitePerProcess",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    f"--disable-features={','.join(LEFT_OUT)}",
]
MILLISECONDS = 15_000  # for anything to appear; a busy machine is slow
# `page.route` does not see what a service worker answers, so tests have one only if they ask for it.
BLOCKED = "Service Worker registration blocked by Playwright"
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


def chromium(names=NAMES):
    """Where it is, or None; CHROMIUM in the environment says otherwise."""
    named = [os.environ.get("CHROMIUM"), *names]
    return next((found for name in named if name and (found := shutil.which(name))), None)


@contextmanager
def running(names=NAMES, flags=()):
    """For one module alone: while it runs, Django takes the thread for an event loop and refuses queries."""
    if (path := chromium(names)) is None:
        pytest.skip(MISSING)
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        yield started
        started.close()


@pytest.fixture(scope="module")
def browser():
    with running() as started:
        yield started


@pytest.fixture
def visit(browser):
    """Opens pages for one person each. At the end, none may have complained or called another origin."""
    visits = []

    def one_more(expected=(), **options):
        visits.append(Visit(browser.new_context(**{"service_workers": "block"} | options), expected))
        return visits[-1].page

    yield one_more
    for each in visits:
        each.context.close()
    assert [complaint for each in visits for complaint in each.complaints] == []
    assert [each.origins for each in visits if len(each.origins) > 1] == []


class Visit:
    """A page and what went wrong in it; `expected` are parts of complaints that belong to the test."""

    def __init__(self, context, expected):
        self.context, self.expected = context, expected
        self.complaints, self.origins = [], set()
        context.set_default_timeout(MILLISECONDS)
        context.on("console", lambda said: said.type in {"error", "warning"} and self.complain(said.text))
        context.on("weberror", lambda raised: self.complain(str(raised.error)))
        context.on("request", lambda request: self.note(urlsplit(request.url)))
        self.page = context.new_page()

    def complain(self, text):
        if not any(part in text for part in (*self.expected, BLOCKED)):
            self.complaints.append(text)

    def note(self, address):
        if address.scheme not in {"blob", "data"}:
            self.origins.add(f"{address.scheme}://{address.netloc}")


def sign_up(page, name):
    """Sign up through the page, make the pledge, and end at the list of campaigns."""
    page.goto("/accounts/signup/")
    page.get_by_label("Pseudonym").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Choose what to listen to")).to_be_visible()
    make_pledge(page)
    expect(page.get_by_role("heading", name="Choose what to listen to")).to_be_visible()
    return page


def make_pledge(page):
    """Whoever has just signed up makes the pledge, in any language, and stands before the campaigns."""
    page.goto("/first-minute/")
    page.locator("[name=promise]").check()
    page.locator("main form button.primary").click()
    expect(page.locator("practice-desk")).to_be_attached()
    page.goto("/tag/")


def comes_true(page, condition):
    """Wait for a condition. wait_for_function would evaluate a string in the page, which our CSP forbids."""
    page.evaluate(f"""() => new Promise((resolve, giveUp) => {{
        setTimeout(() => giveUp("this never came true: " + look), {MILLISECONDS});
        const look = () => ({condition} ? resolve() : requestAnimationFrame(look));
        look();
    }})""")


def sounds_on(page):
    comes_true(page, "document.querySelector('audio').currentTime > 0")


def too_wide(page):
    """The elements that stick out of the window."""
    return page.evaluate("""() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth)
            .map((each) => each.outerHTML.slice(0, 80))""")


def too_small(page):
    """Controls too small for a thumb; links within a sentence are exempt, as in WCAG."""
    return page.evaluate("""() => [...document.querySelectorAll("a, button, summary, textarea, input")]
        .filter((each) => each.checkVisibility() && !each.matches("p:not(.actions) a, .help a, .skip-link"))
        .map((each) => each.closest("label") ?? each)
        .map((each) => [each, each.getBoundingClientRect()])
        .filter(([each, { width, height }]) => each.type !== "hidden" && (width < 43.5 || height < 43.5))
        .map(([each]) => each).map((each) => each.outerHTML.slice(0, 80))""")


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if left_out := sum(MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(
            f"{left_out} browser tests were left out: {MISSING}. Install it, e.g. apt-get install chromium",
            yellow=True,
        )
