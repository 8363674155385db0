"""`make pictures`: every page as a telephone and a desk show it, into docs/pictures, with a page of them all.

Made on a site of its own, with what every_page.py puts there. Run again, it makes all of them anew.
For whoever looks at them one by one, LOOKS=every has telephones on their side, tablets and the dark as
well, in build/pictures; ONLY="desk leave" takes those whose names begin so.
"""

import argparse
import base64
import shutil
import struct
import sys
import tempfile
import zlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import httpx
from playwright.sync_api import Route, expect, sync_playwright

from tests.support import access, desk
from tests.support.browser import FLAGS, MILLISECONDS, MISSING, WHOLE, chromium
from tests.support.pictured import LEFTWARDS, PICTURES
from tests.support.site import Site

ROOT = Path(__file__).resolve().parents[2]
KEPT, EVERY = ROOT / "docs/pictures", ROOT / "build/pictures"
PLAYS = "--autoplay-policy=no-user-gesture-required"
TALLEST = 1500  # pixels; what is below that is more of the same


@dataclass(frozen=True)
class Size:
    """A screen; those that are touched have no keys to show."""

    name: str
    width: int
    height: int
    touch: bool


TELEPHONE, DESK = Size("360", 360, 740, True), Size("1280", 1280, 900, False)
SIDEWAYS, TABLET = Size("740x360", 740, 360, True), Size("768", 768, 1024, True)

# Typefaces are there, and what is drawn by scripts has been drawn for this size and these colours.
SETTLED = """async () => {
    await document.fonts.ready;
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
}"""

# Pages are flat: 32 colours are enough, and a sixth of the bytes. What is rarer takes the nearest of them.
# The style guide shows every colour.
FEW_COLOURS = """async ([png, most]) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const { width, height } = image;
    const pen = new OffscreenCanvas(width, height).getContext("2d");
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, width, height);
    const seen = new Uint32Array(data.buffer);
    const counts = new Map();
    for (const colour of seen) counts.set(colour, (counts.get(colour) ?? 0) + 1);
    const palette = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, most);
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
    asked = options()
    if (path := chromium(WHOLE)) is None:
        print(MISSING)
        return 1
    expect.set_options(timeout=MILLISECONDS)
    folder = EVERY if asked.looks == "every" else KEPT
    pictures = [each for each in PICTURES if each.name.startswith(tuple(asked.only or [""]))]
    if not asked.only:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        sync_playwright() as playwright,
        Site(Path(home) / "home", DEBUG="0") as site,
    ):
        shown = access.shown_by(site)
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, PLAYS])
        camera = Camera(browser, site.url, shown, folder)
        for picture in pictures:
            for looks in looks_of(picture, asked.looks):
                camera.take(picture, *looks)
        browser.close()
    if folder == KEPT:
        (folder / "README.md").write_text(album())
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{len(list(folder.glob('*.png')))} pictures, {size / 1e6:.1f} MB, in {folder}")
    return 0


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", choices=["kept", "every"], default="kept")
    parser.add_argument("--only", nargs="*", help="beginnings of names")
    return parser.parse_args()


def looks_of(picture, looks):
    """(sizes, schemes, language) of each visit to the page."""
    if looks == "every":
        sizes, schemes = (TELEPHONE, SIDEWAYS, TABLET, DESK), ("light", "dark")
    else:
        sizes, schemes = (TELEPHONE, DESK), ("light", "dark") if picture.dark else ("light",)
    # What somebody did there is done once; else a screen that is touched and one with keys are two visits.
    touched, others = [each for each in sizes if each.touch], [each for each in sizes if not each.touch]
    yield from (
        [(sizes, schemes, "en")] if picture.reach else [(touched, schemes, "en"), (others, schemes, "en")]
    )
    if picture.name in LEFTWARDS:
        yield (TELEPHONE,), ("light",), "ar"


class Camera:
    """Visits pages of a site and writes what they look like into a folder."""

    def __init__(self, browser, url, shown, folder):
        self.browser, self.url, self.folder = browser, url, folder
        self.visitors = {each["visitor"]: each for each in shown["shown"]}
        self.refused = {
            "broken": shown["broken"],
            "too-often": shown["too-often"],
            "not-understood": httpx.get(url, headers={"Host": "elsewhere"}).text,
            "too-large": httpx.post(url, content=bytes(3_000_000)).text,
        }

    def take(self, picture, sizes, schemes, language):
        size, visitor = sizes[0], self.visitors[picture.visitor]
        context = self.browser.new_context(
            base_url=self.url,
            viewport=viewport(size),
            has_touch=size.touch,
            is_mobile=size.touch,
            locale=language,
            color_scheme=schemes[0],
            reduced_motion="reduce",
            service_workers="block",
        )
        context.add_cookies(access.cookies(visitor, self.url))
        page = context.new_page()
        for name, body in self.refused.items():
            page.route(f"**/{name}/", partial(Route.fulfill, body=body, content_type="text/html"))
        page.goto(address_of(picture, visitor))
        if page.locator("clip-desk [data-part=clip]").count():
            desk.wait_until_answerable(page)
        if picture.reach:
            picture.reach(page)
        page.wait_for_load_state("networkidle")
        for size in sizes:
            page.set_viewport_size(viewport(size))
            for scheme in schemes:
                page.emulate_media(color_scheme=scheme)
                page.evaluate(SETTLED)
                page.evaluate("scrollTo(0, 0)")
                name = file_name(picture, size.name, scheme, language)
                (self.folder / f"{name}.png").write_bytes(self.developed(page, picture.part))
        context.close()

    def developed(self, page, part):
        if part:
            taken = page.locator(f"#{part}").screenshot()
        else:
            taken = page.screenshot(full_page=True, clip=whole(page))
        return smaller(page, taken, 256 if part else 32) if self.folder == KEPT else taken


def viewport(size):
    return {"width": size.width, "height": size.height}


def address_of(picture, visitor):
    """In full: of the addresses that this visitor is shown, the first that begins so."""
    shown = visitor["addresses"]
    if picture.address in shown:
        return picture.address
    return next((each for each in shown if fnmatchcase(each, f"{picture.address}*")), picture.address)


def whole(page):
    width, height = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    return {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)}


def file_name(picture, size, scheme, language):
    marks = [scheme] * (scheme == "dark") + [language] * (language != "en")
    return "-".join([picture.name, str(size), *marks])


def smaller(page, png, colours):
    """The same picture as a PNG with a palette."""
    with page.context.browser.new_page() as blank:
        width, height, palette, places = blank.evaluate(
            FEW_COLOURS, [base64.b64encode(png).decode(), colours]
        )
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
