"""Accessibility of every page: axe-core's rules (WCAG 2.2 AA) and our own."""

import tempfile
from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support import access
from tests.support.browser import FLAGS, chromium
from tests.support.site import Site

NEEDS_DATA = False

LINE = "{:34} {:>10} {:>10}"


def main(data: Path) -> None:
    if (path := chromium()) is None:
        print("Skipped: there is no Chromium.")
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        Site(Path(folder) / "home", DEBUG="0") as site,
    ):
        pages = access.shown_by(site)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        visits, found = _checked(browser, site.url, pages["shown"])
        browser.close()
    print(LINE.format("every page, as each visitor sees it", "pages", "violations"))
    for mode in access.MODES:
        print(LINE.format(str(mode), visits[mode], sum(found[mode].values())))
    print(f"{visits.total()} visits, {sum(each.total() for each in found.values())} violations")
    for rule, times in sum(found.values(), Counter()).most_common(10):
        print(f"  {times} × {rule}")


def _checked(
    browser: Browser, url: str, shown: list[dict]
) -> tuple[Counter[access.Mode], dict[access.Mode, Counter[str]]]:
    """How many pages were visited in each mode, and how many violations of each rule were found."""
    visits: Counter[access.Mode] = Counter()
    found: dict[access.Mode, Counter[str]] = {mode: Counter() for mode in access.MODES}
    for visitor in shown:
        context = browser.new_context(base_url=url)
        context.add_cookies(access.cookies(visitor, url))
        looker = access.Looker(context.new_page())
        for address in access.ours(visitor["addresses"]):
            looker.page.goto(address)
            for mode in access.MODES:
                visits[mode] += 1
                found[mode].update(fault.split(":")[0] for fault in looker.faults(mode))
        context.close()
    return visits, found
