"""The time from a key to the next clip's sound, and the size of the desk's page, in Chromium."""

import tempfile
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Page, sync_playwright

from tests.support import desk
from tests.support.browser import FLAGS, chromium, comes_true, sign_up
from tests.support.quotas import NO_QUOTAS

NEEDS_DATA = False

ANSWERS = 200
KEYS = "1234"
LINE = "{:58} {:>10} {:>10}"

# Measured in the page, from the key event to the player's `playing` event.
MEASURE = """() => {
    window.took = [];
    let pressed = null;
    document.addEventListener("keydown", (event) => { pressed = event.timeStamp; }, { capture: true });
    document.addEventListener("playing", () => {
        if (pressed !== null) took.push(performance.now() - pressed);
        pressed = null;
    }, { capture: true });
}"""
WEIGHT = """() => ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
    .filter(({ name }) => !name.startsWith("blob:") && !new URL(name).pathname.startsWith("/api/"))
    .map(({ transferSize, encodedBodySize }) => Math.max(transferSize, encodedBodySize))"""


def main(data: Path) -> None:
    if (path := chromium()) is None:
        print("Skipped: there is no Chromium.")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        campaign = {"juniper": ("wake-word", ANSWERS + 10, "--must-hear", "0")}
        with desk.published(Path(folder), NO_QUOTAS, **campaign) as site:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            page = browser.new_context(base_url=site.url).new_page()
            took, weight = _measured(sign_up(page, "bench"))
            browser.close()
    print(LINE.format(f"{len(took)} answers by key", "median ms", "p95 ms"))
    print(LINE.format("from the key to the next clip's sound", *map(_rounded, (median(took), _p95(took)))))
    print(f"page weight without audio: {sum(weight) / 1000:.1f} kB in {len(weight)} transfers, uncompressed")


def _measured(page: Page) -> tuple[list[float], list[int]]:
    """Milliseconds for each answer, and the bytes of each file of the page on a first visit."""
    with page.context.new_page() as first:
        session = first.context.new_cdp_session(first)
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        first.goto("/tag/juniper/", wait_until="networkidle")
        weight = first.evaluate(WEIGHT)
    desk.at_desk(desk.without_pause(page), "juniper")
    page.evaluate(MEASURE)
    for number in range(1, ANSWERS + 1):
        desk.wait_until_answerable(page)
        page.keyboard.press(KEYS[number % len(KEYS)])
        comes_true(page, f"took.length >= {number}")
    return page.evaluate("took"), weight


def _p95(took: list[float]) -> float:
    return quantiles(took, n=20)[-1]


def _rounded(milliseconds: float) -> str:
    return f"{milliseconds:.0f}"
