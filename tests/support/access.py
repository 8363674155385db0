"""Whether everybody can use a page: axe-core's rules (WCAG 2.2 AA), and what axe leaves out.

`make bench` counts by it too. axe is given to a page by the browser's own protocol, which the page's policy
does not bind: so the policy stays on, and what it would break is seen.
"""

import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

AXE = (Path(__file__).parents[1] / "vendor/axe-core/axe.min.js").read_text()
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@dataclass(frozen=True)
class Mode:
    """How a page is looked at; `text` is the browser's own setting for the size of text, in percent.

    `scheme` is light, dark, or forced: colours that a person set for all programs, as with high contrast.
    """

    width: int
    scheme: str
    text: int

    def __str__(self):
        return f"{self.width} px, {self.scheme}, text at {self.text} %"


# Each value of each meets each value of both others once (an orthogonal array).
MODES = (Mode(1280, "light", 100), Mode(360, "dark", 100), Mode(360, "light", 200), Mode(1280, "dark", 200))

LANGUAGES = ("en", "de", "es", "fr", "ar")
# Each scheme with each size of text, in each language, and axe each time.
EVERY = tuple(
    (language, mode, True)
    for mode in (*MODES, Mode(360, "forced", 100), Mode(1280, "forced", 200))
    for language in LANGUAGES
)


def by_turns(visitor, address):
    """The looks of one page, as (language, mode, whether axe is asked): one language, and axe in one look.

    They depend on the page alone, so that another page on the site changes nothing.
    """
    number = zlib.crc32(f"{visitor} {without_numbers(address)}".encode())
    language, axed, _ = EVERY[number % len(EVERY)]
    return [(language, mode, mode == axed) for mode in dict.fromkeys((*MODES, axed))]


def without_numbers(address):
    """Random parts and numbers of an address differ in each run."""
    return "/".join(part for part in address.split("/") if not re.search(r"\d|_|[a-z][A-Z]", part))


# Not preloading leaves out one rule, that no sound plays by itself for long: with it axe waits ten seconds
# for each player whose clip is not asked for yet. No player here has `autoplay`, which FAULTS asks.
RUN = """async (tags) => {
    const options = { resultTypes: ["violations"], runOnly: tags, preload: false };
    const { violations } = await axe.run(document, options);
    return violations.flatMap(({ id, nodes }) => nodes.map((node) =>
        `${id}: ${node.target.join(" ")} ${node.html.slice(0, 120)} ${node.failureSummary}`));
}"""

# What sticks out of the window, but for what scrolls within itself.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    ["too wide: " + [...document.querySelectorAll("body *")]
        .filter((each) => !each.closest(".wide"))
        .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5
            || each.getBoundingClientRect().left < -0.5)
        .map((each) => each.outerHTML.slice(0, 80)).join(" | ")]"""

# 2.5.8 lets links within a sentence be; our own measure, 44 pixels, is asked of buttons that are pressed for
# every clip. A label counts as its box, and what is moved out of sight until it has the focus does not count.
TOO_SMALL = """() => [
        ...document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), select, textarea"),
    ]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }))
    .filter((each) => !each.matches("p:not(.actions) a, li a, dd a, .help a, .skip-link") ||
        getComputedStyle(each).display !== "inline")
    .map((each) => [each, (each.closest("label") ?? each).getBoundingClientRect()])
    .filter(([each, { width, height }]) => {
        const least = each.matches(".answer, .play, .answers .actions button") ? 44 : 24;
        return Math.min(width, height) < least - 0.5;
    })
    .map(([each, { width, height }]) => `too small: ${width}x${height} ${each.outerHTML.slice(0, 100)}`)"""

FAULTS = """() => {
    const faults = [];
    const headings = document.querySelectorAll("h1").length;
    if (headings !== 1) faults.push(`${headings} headings of the first level`);
    if (!document.documentElement.lang) faults.push("no language");
    if (!document.title.trim()) faults.push("no title");
    if (document.querySelector("[autoplay]")) faults.push("sounds by itself");
    return faults;
}"""


# 1.4.12: readers may set their own spacing, and lose nothing by it.
SPACED = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
        * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
        p { margin-block-end: 2em !important }`);
    document.adoptedStyleSheets.push(sheet);
    const isCut = (each) => {
        const { overflowX, overflowY, position } = getComputedStyle(each);
        const isWords = [...each.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
        const isHiding = (overflow) => ["hidden", "clip"].includes(overflow);
        return isWords && position !== "absolute" && (
            (isHiding(overflowX) && each.scrollWidth > each.clientWidth + 1) ||
            (isHiding(overflowY) && each.scrollHeight > each.clientHeight + 1));
    };
    const shown = [...document.querySelectorAll("body *")].filter((each) => each.checkVisibility());
    const found = shown.filter(isCut).map((each) => `cut when spaced: ${each.outerHTML.slice(0, 100)}`);
    if (document.documentElement.scrollWidth > innerWidth) found.push("too wide when spaced");
    document.adoptedStyleSheets.pop();
    return found;
}"""


class Looker:
    """A page, and the ways of looking at it."""

    def __init__(self, page):
        self.page = page
        self.browser = page.context.new_cdp_session(page)

    def look(self, mode):
        """So it is shown from now on, without being loaded again."""
        self.page.set_viewport_size({"width": mode.width, "height": 740 if mode.width < 600 else 900})
        # Without motion, as what is midway between two colours has neither.
        is_forced = mode.scheme == "forced"
        self.page.emulate_media(
            color_scheme="light" if is_forced else mode.scheme,
            forced_colors="active" if is_forced else "none",
            reduced_motion="reduce",
        )
        sizes = {"standard": 16 * mode.text // 100, "fixed": 13 * mode.text // 100}
        self.browser.send("Page.setFontSizes", {"fontSizes": sizes})

    def faults(self, mode, is_axed=True):
        """All that is wrong with the page as it stands now, each as one line."""
        self.look(mode)
        found = axe(self.page) if is_axed else []
        # Wide spacing and large text are asked for one by one.
        scripts = (FAULTS, TOO_SMALL, TOO_WIDE, *([SPACED] if mode.text == 100 else []))
        return [*found, *(each for script in scripts for each in self.page.evaluate(script))]

    def faults_in_all(self, modes=MODES, axed=MODES):
        """In each of these modes; axe, which takes most of the time, is asked in `axed`."""
        return [
            f"{self.page.url} ({mode}): {fault}"
            for mode in modes
            for fault in self.faults(mode, mode in axed)
        ]

    def faults_in_looks(self, address, looks):
        """All that is wrong there in these looks, (language, mode, whether axe is asked).

        The page is loaded once for each language.
        """
        faults = []
        self.look(MODES[0])
        for language in dict.fromkeys(language for language, _, _ in looks):
            self.speak(language)
            self.page.goto(address)
            for mode, is_axed in ((mode, is_axed) for its, mode, is_axed in looks if its == language):
                faults += [f"{address} ({language}, {mode}): {each}" for each in self.faults(mode, is_axed)]
        return faults

    def speak(self, language):
        """The browser asks for this language from the next page on."""
        self.page.context.set_extra_http_headers({"Accept-Language": language})


def axe(page):
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(RUN, TAGS)


def shown_by(site):
    """What this site shows to whom, and the page for when something breaks (see every_page.py)."""
    told = site.manage("shell", "-v", "0", "-c", "from tests.support.every_page import tell; tell()")
    return json.loads(told.stdout)


def ours(addresses):
    """Without the admin: its pages are Django's own, and are for the few people who run a site."""
    return [each for each in addresses if not each.startswith("/admin/")]


def cookies(visitor, url):
    return [{"name": name, "value": value, "url": url} for name, value in visitor["cookies"].items()]
