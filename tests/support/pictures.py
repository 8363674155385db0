"""`make pictures`: every page as a telephone and a desk show it, into docs/pictures, with a page of them all.

Made on a site of its own, with what every_page.py puts there. Run again, it makes all of them anew.
"""

import base64
import shutil
import struct
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.support import access, desk
from tests.support.browser import FLAGS, MILLISECONDS, MISSING, chromium
from tests.support.site import Site

FOLDER = Path(__file__).resolve().parents[2] / "docs/pictures"
PLAYS = "--autoplay-policy=no-user-gesture-required"
WIDTHS = (360, 1280)
TALLEST = 2600  # pixels; what is below that is more of the same


@dataclass(frozen=True)
class Picture:
    """One page, or a `part` of it; `address` may be the beginning of one that holds a token."""

    name: str
    title: str
    visitor: str
    address: str
    dark: bool = False
    part: str = ""


# The style guide is long: each of its sections is a picture of its own.
SECTIONS = {
    "type": "Type",
    "colours": "Colours",
    "pictures": "Icons, drawings, waves",
    "buttons": "Buttons",
    "forms": "Forms",
    "cards": "Cards and notices",
    "tables": "Tables",
    "flow": "Tabs, dialogs, steps",
    "charts": "Charts",
}

PICTURES = (
    Picture("home", "The first page", "stranger", "/", dark=True),
    Picture("sign-up", "Sign up", "stranger", "/accounts/signup/"),
    Picture("log-in", "Log in", "stranger", "/accounts/login/"),
    Picture("first-minute", "A volunteer's first minute", "newcomer", "/first-minute/"),
    Picture("practice", "Practice", "volunteer", "/first-minute/practice/"),
    Picture("campaigns", "Choose what to listen to", "volunteer", "/tag/", dark=True),
    Picture("desk", "The desk: a wake word", "reviewer", "/tag/juniper/", dark=True),
    Picture("desk-words", "The desk: a transcript", "volunteer", "/tag/sentences/", dark=True),
    Picture("empty-queue", "All caught up", "contributor", "/tag/juniper/"),
    Picture("my-answers", "Your answers", "volunteer", "/my-answers/", dark=True),
    Picture("my-day", "Because of you, today", "volunteer", "/my-answers/today/"),
    Picture("certificate", "Certificate of hours", "volunteer", "/my-answers/certificate/"),
    Picture("challenge", "Set a challenge", "admin", "/tag/juniper/challenge/"),
    Picture("teams", "Teams", "volunteer", "/teams/"),
    Picture("volunteers", "Volunteers who want to be named", "volunteer", "/volunteers/"),
    Picture("agreement", "How well volunteers agree", "volunteer", "/tag/juniper/agreement/"),
    Picture("record", "Choose what to record", "contributor", "/record/"),
    Picture("record-sentence", "Read a sentence", "contributor", "/record/sentences/"),
    Picture("my-clips", "My clips", "contributor", "/my-clips/", dark=True),
    Picture("my-clips-empty", "My clips, none yet", "newcomer", "/my-clips/"),
    Picture("consent", "What you share", "contributor", "/profile/consent/"),
    Picture("profile", "Profile", "contributor", "/profile/"),
    Picture("delete-all", "Delete all clips", "contributor", "/my-clips/delete-all/"),
    Picture("leave", "Leave", "contributor", "/leave/"),
    Picture("erasure", "Erasure receipt", "stranger", "/receipts/erasure/"),
    Picture("review", "Review", "reviewer", "/review/", dark=True),
    Picture("decide", "Decide a dispute", "reviewer", "/review/disputes/"),
    Picture("how-volunteers-answer", "How volunteers answer", "reviewer", "/review/volunteers/"),
    Picture("releases", "Releases", "researcher", "/releases/"),
    Picture("ledger", "What we hold", "stranger", "/ledger/"),
    Picture("check-receipt", "Check a receipt", "stranger", "/receipts/"),
    Picture("not-found", "Nothing there", "stranger", "/nothing-here/"),
    *(
        Picture(f"styleguide-{part}", f"Style guide: {title}", "admin", "/styleguide/", dark=True, part=part)
        for part, title in SECTIONS.items()
    ),
)
LEFTWARDS = ("home", "desk", "styleguide-flow", "styleguide-charts")  # also in Arabic

# Pages are flat: 256 colours are enough, and a third of the bytes. What is rarer takes the nearest of them.
FEW_COLOURS = """async (png) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const { width, height } = image;
    const pen = new OffscreenCanvas(width, height).getContext("2d");
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, width, height);
    const seen = new Uint32Array(data.buffer);
    const counts = new Map();
    for (const colour of seen) counts.set(colour, (counts.get(colour) ?? 0) + 1);
    const palette = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, 256);
    const parts = (colour) => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
    const known = palette.map(parts);
    const nearest = new Map(palette.map((colour, place) => [colour, place]));
    const find = (colour) => {
        const [r, g, b] = parts(colour);
        const far = known.map(([x, y, z]) => (r - x) ** 2 + (g - y) ** 2 + (b - z) ** 2);
        return far.indexOf(Math.min(...far));
    };
    let text = "";
    for (const colour of seen) {
        if (!nearest.has(colour)) nearest.set(colour, find(colour));
        text += String.fromCharCode(nearest.get(colour));
    }
    return [width, height, known.flat(), btoa(text)];
}"""


def main() -> int:
    if (path := chromium()) is None:
        print(MISSING)
        return 1
    expect.set_options(timeout=MILLISECONDS)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        Site(Path(folder) / "home", DEBUG="0") as site,
    ):
        visitors = {each["visitor"]: each for each in access.shown_by(site)["shown"]}
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, PLAYS])
        for picture in PICTURES:
            take(browser, site.url, visitors[picture.visitor], picture)
        browser.close()
    (FOLDER / "README.md").write_text(album())
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(list(FOLDER.glob('*.png')))} pictures, {size / 1e6:.1f} MB, in {FOLDER}")
    return 0


def take(browser, url, visitor, picture):
    shots = [(width, "light", "en") for width in WIDTHS]
    shots += [(360, "dark", "en"), (1280, "dark", "en")] if picture.dark else []
    shots += [(360, "light", "ar")] if picture.name in LEFTWARDS else []
    for width, scheme, language in shots:
        size = {"width": width, "height": 740 if width < 600 else 900}
        look = {"viewport": size, "color_scheme": scheme, "locale": language, "has_touch": width < 600}
        context = browser.new_context(base_url=url, reduced_motion="reduce", **look)
        context.add_cookies(access.cookies(visitor, url))
        page = context.new_page()
        page.goto(address_of(picture, visitor))
        if picture.name.startswith("desk"):
            desk.wait_until_answerable(page)
        page.wait_for_load_state("networkidle")
        taken = (
            page.locator(f"#{picture.part}").screenshot()
            if picture.part
            else page.screenshot(full_page=True, clip=whole(page))
        )
        (FOLDER / f"{file_name(picture, width, scheme, language)}.png").write_bytes(smaller(page, taken))
        context.close()


def address_of(picture, visitor):
    """In full: of the addresses that this visitor is shown, the first that begins so."""
    shown = visitor["addresses"]
    if picture.address in shown:
        return picture.address
    return next((each for each in shown if each.startswith(picture.address)), picture.address)


def whole(page):
    width, height = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    return {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)}


def file_name(picture, width, scheme, language):
    marks = [scheme] * (scheme == "dark") + [language] * (language != "en")
    return "-".join([picture.name, str(width), *marks])


def smaller(page, png):
    """The same picture as a PNG with a palette."""
    with page.context.browser.new_page() as blank:
        width, height, palette, places = blank.evaluate(FEW_COLOURS, base64.b64encode(png).decode())
    places = base64.b64decode(places)
    rows = b"".join(b"\0" + places[start : start + width] for start in range(0, len(places), width))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", bytes(palette)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def album():
    rows = [
        f"| {each.title} | {shown(each, 360, 'light')} | {shown(each, 1280, 'light')} |" for each in PICTURES
    ]
    darks = [
        f"| {each.title} | {shown(each, 360, 'dark')} | {shown(each, 1280, 'dark')} |"
        for each in PICTURES
        if each.dark
    ]
    arabic = [
        f"| {each.title} | {shown(each, 360, 'light', 'ar')} |" for each in PICTURES if each.name in LEFTWARDS
    ]
    return "\n".join(
        [
            "# Every page",
            "",
            "Made by `make pictures`. At the width of a telephone and of a desk.",
            "",
            "| page | 360 px | 1280 px |\n|---|---|---|",
            *rows,
            "\n## In the dark\n\n| page | 360 px | 1280 px |\n|---|---|---|",
            *darks,
            "\n## From right to left\n\n| page | 360 px |\n|---|---|",
            *arabic,
            "",
        ]
    )


def shown(picture, width, scheme, language="en"):
    name = file_name(picture, width, scheme, language)
    return f'<img src="{name}.png" width="{width // 2}" alt="{picture.title}">'


if __name__ == "__main__":
    sys.exit(main())
