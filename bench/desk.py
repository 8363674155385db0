"""Key to sound: from an answer's key to the start of the next clip's sound; and the size of the desk's page.

In Chromium, on a running site. The floor, in turns with it: a page with nothing but an <audio> element that
has loaded the same bytes, and a key that plays it.
"""

import tempfile
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Page, sync_playwright

from tests.support import desk
from tests.support.browser import FLAGS, chromium, comes_true, sign_up
from tests.support.quotas import NO_QUOTAS

NEEDS_DATA = False

ROUNDS, EACH = 10, 20  # answers, and as many times the floor
ANSWERS = ROUNDS * EACH
KEYS = "1234"
LINE = "{:58} {:>10} {:>10}"
GOAL_MS = 30  # for the median

# Measured in either page, from the key event to the `playing` event.
MEASURE = """() => {
    window.took = [];
    let pressed = null;
    document.addEventListener("keydown", (event) => { pressed = event.timeStamp; }, { capture: true });
    document.addEventListener("playing", () => {
        if (pressed !== null) took.push(performance.now() - pressed);
        pressed = null;
    }, { capture: true });
}"""
# The next sound is loaded before its key is pressed, as on the desk.
FLOOR = """async (wav) => {
    const address = URL.createObjectURL(new Blob([Uint8Array.from(wav)], { type: "audio/wav" }));
    document.body.innerHTML = "<audio></audio>";
    window.audio = document.querySelector("audio");
    document.addEventListener("keydown", () => audio.play());
    window.reload = () => new Promise((loaded) => {
        audio.oncanplaythrough = loaded;
        audio.src = address;
    });
}"""
BYTES = """async () => {
    const { sound } = document.querySelector("clip-desk").clip;
    return [...new Uint8Array(await sound.wav.arrayBuffer())];
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
            context = browser.new_context(base_url=site.url)
            page = sign_up(context.new_page(), "bench")
            weight = _weight(page)
            desk.at_desk(desk.without_pause(page), "juniper")
            took, floor = _measured(page, _floor(page))
            browser.close()
    print(LINE.format(f"{ANSWERS} answers by key", "median ms", "p95 ms"))
    rows = {
        f"key to sound (goal: a median below {GOAL_MS})": took,
        "the floor, an <audio> of the same bytes": floor,
    }
    for name, each in rows.items():
        print(LINE.format(name, f"{median(each):.1f}", f"{_p95(each):.1f}"))
    ratios = median(took) / median(floor), _p95(took) / _p95(floor)
    print(LINE.format("times the floor", *(f"{each:.2f}" for each in ratios)))
    print(f"page weight without audio: {sum(weight) / 1000:.1f} kB in {len(weight)} transfers, uncompressed")


def _weight(page: Page) -> list[int]:
    """The bytes of each file of the page on a first visit."""
    with page.context.new_page() as first:
        session = first.context.new_cdp_session(first)
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        first.goto("/tag/juniper/", wait_until="networkidle")
        return first.evaluate(WEIGHT)


def _floor(page: Page) -> Page:
    """A page that plays the sound that the desk plays now."""
    floor = page.context.new_page()
    floor.evaluate(FLOOR, page.evaluate(BYTES))
    return floor


def _measured(page: Page, floor: Page) -> tuple[list[float], list[float]]:
    """Milliseconds of each answer, and of each sound of the floor."""
    for each in (page, floor):
        each.evaluate(MEASURE)
    for round_ in range(ROUNDS):
        page.bring_to_front()
        for number in range(EACH * round_ + 1, EACH * (round_ + 1) + 1):
            desk.wait_until_answerable(page)
            page.keyboard.press(KEYS[number % len(KEYS)])
            comes_true(page, f"took.length >= {number}")
        floor.bring_to_front()
        for number in range(EACH * round_ + 1, EACH * (round_ + 1) + 1):
            floor.evaluate("reload()")
            floor.keyboard.press("1")
            comes_true(floor, f"took.length >= {number}")
    return page.evaluate("took"), floor.evaluate("took")


def _p95(took: list[float]) -> float:
    return quantiles(took, n=20)[-1]
