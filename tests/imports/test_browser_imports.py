"""In a browser: an owner drops 200 files, closes the page in the middle, and goes on where they stopped."""

import json

import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import comes_true
from tests.support.site import eventually

from .conftest import sound

OWN = """
from accounts.models import Role, User
from datasets import campaigns
from datasets.models import Campaign
from tests.support import factors
person = factors.appoint(User.objects.get_by_natural_key({name!r}), "owner")
owner = User.objects.get_by_natural_key({name!r})
kind = Campaign.Kind.WAKE_WORD
campaigns.create(slug={slug!r}, kind=kind, language="en", wake_word="hey amaryllis", owner=owner)
"""
HELD = """
import json
from datasets.models import Clip, ImportFile, ImportPart
files = ImportFile.objects.filter(received__gt=0)
print(json.dumps([Clip.objects.count(), files.count(), ImportPart.objects.count()]))
"""
# Files as if they came from another program: tones of different pitch, and a table.
DROP = """
([element, number]) => {
  const dropped = new DataTransfer();
  const rows = ["file,who"];
  for (let each = 0; each < number; each++) {
    const sound = new DataView(new ArrayBuffer(44 + 12800));
    const text = (at, words) => [...words].forEach((c, place) => sound.setUint8(at + place, c.charCodeAt(0)));
    text(0, "RIFF"); sound.setUint32(4, 36 + 12800, true); text(8, "WAVEfmt ");
    sound.setUint32(16, 16, true); sound.setUint16(20, 1, true); sound.setUint16(22, 1, true);
    sound.setUint32(24, 16000, true); sound.setUint32(28, 32000, true); sound.setUint16(32, 2, true);
    sound.setUint16(34, 16, true); text(36, "data"); sound.setUint32(40, 12800, true);
    for (let at = 0; at < 6400; at++) {
      sound.setInt16(44 + 2 * at, 12000 * Math.sin(2 * Math.PI * (300 + 7 * each) * at / 16000), true);
    }
    dropped.items.add(new File([sound], `take ${each}.wav`));
    rows.push(`take ${each}.wav,speaker ${each % 5}`);
  }
  dropped.items.add(new File([rows.join("\\n")], "takes.csv"));
  dropped.items.add(new File(["x"], "cover.jpg"));
  element.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: dropped }));
}
"""

# The second call with parts hangs, as that of a closed laptop. In the page, because a request that a route
# holds back is let through when its page is closed.
HANG_AFTER_ONE = """
() => {
  const send = window.fetch;
  let calls = 0;
  window.fetch = (path, options) => {
    if (!String(path).endsWith("/parts/") || ++calls === 1) return send(path, options);
    document.documentElement.dataset.hangs = "yes";
    return new Promise(() => {});
  };
}
"""


@pytest.fixture
def owner(site, visit):
    log_in = desk.people(site, visit)

    def begin(name, slug, **options):
        """Logs an owner in, with a campaign, and opens the page of a new import."""
        page = log_in(name, **options)
        site.manage("shell", "-c", OWN.format(name=name, slug=slug))
        page.goto(f"/campaigns/{slug}/import/")
        page.get_by_label("Name of the collection").first.fill("Our pilot")
        page.get_by_label("consent filed").fill("forms of May")
        page.get_by_label("Licence of the recordings").select_option("CC-BY-4.0")
        page.get_by_label("Whom does the consent cover?").select_option("researchers")
        page.get_by_role("button", name="Go on to the files").click()
        expect(page.get_by_role("button", name="Choose files")).to_be_visible()
        return page

    return begin


def held(site):
    """How many clips, files and parts the server has."""
    return json.loads(site.manage("shell", "-v", "0", "-c", HELD).stdout)


def recordings(page):
    return page.locator(".import-counts dd").first


def test_two_hundred_files_are_dropped_mapped_added_and_undone(site, owner):
    page = owner("olga", "amaryllis")
    drop(page, 200)
    expect(page.get_by_role("heading", name="How they are read")).to_be_visible(timeout=60_000)
    expect(recordings(page)).to_have_text("200")
    expect(page.get_by_label("What “who” is")).to_have_value("")
    page.get_by_label("What “file” is").select_option("path")
    page.get_by_label("What “who” is").select_option("speaker")
    page.get_by_role("button", name="Start the import").click()
    expect(page.locator("h2 .badge")).to_have_text("Finished", timeout=120_000)
    assert held(site) == [200, 0, 0]
    page.get_by_label("I know that these clips are erased for good.").check()
    page.get_by_role("button", name="Undo this import").click()
    expect(page.locator("h2 .badge")).to_have_text("Undone", timeout=60_000)
    assert eventually(lambda: held(site)[0] == 0, 60)


def test_a_page_that_was_closed_goes_on_where_it_stopped(site, owner, tmp_path):
    page = owner("otto", "begonia")
    folder = tmp_path / "takes"
    folder.mkdir()
    for number in range(120):
        (folder / f"{number}.wav").write_bytes(sound(number))
    page.evaluate(HANG_AFTER_ONE)
    choose(page, folder)
    expect(page.locator("[data-part=numbers]")).to_have_text("50 / 120")
    comes_true(page, "document.documentElement.dataset.hangs")
    address, context = page.url, page.context
    page.close()
    assert held(site)[1] == 50

    again = context.new_page()
    named = []
    again.on("request", lambda request: named.append(request) if request.url.endswith("/parts/") else None)
    again.goto(address)
    expect(again.get_by_text("it goes on where it stopped")).to_be_visible()
    choose(again, folder)
    expect(recordings(again)).to_have_text("120", timeout=60_000)
    assert held(site)[1:] == [120, 120]
    assert len(named) == 2  # of three: what was here already was not sent again
    again.get_by_role("button", name="Cancel this import").click()
    expect(again.locator("h2 .badge")).to_have_text("Cancelled")
    assert held(site)[1:] == [0, 0]


def test_a_pause_and_a_lost_connection_end_by_going_on(site, owner):
    page = owner("ole", "cosmea", expected=["ERR_FAILED"])
    fails = iter([True, True])
    page.route("**/files/", lambda route: route.abort() if next(fails, False) else route.continue_())
    drop(page, 60)
    expect(page.get_by_text("No connection. It goes on by itself.")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on", exact=True)).to_be_focused()
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(page.get_by_role("heading", name="How they are read")).to_be_visible(timeout=60_000)
    expect(recordings(page)).to_have_text("60")


def drop(page, number):
    """So many files, once the page's script listens."""
    expect(page.locator("import-drop [data-part=place]")).to_be_visible()
    page.locator("import-drop").evaluate(f"(element) => ({DROP})([element, {number}])")


def bring_clips(page, number):
    """From the page of imports in any language: so many files are dropped, mapped, and added."""
    page.locator("[name=collection]").first.fill("Our pilot")
    page.locator("[name=reference]").fill("forms of May")
    page.locator("[name=licence]").select_option("CC-BY-4.0")
    page.locator("[name=audience]").select_option("researchers")
    page.locator("main button.primary").first.click()
    drop(page, number)
    expect(page.locator("select[aria-label*='file']")).to_be_visible(timeout=60_000)
    page.locator("select[aria-label*='file']").select_option("path")
    page.locator("select[aria-label*='who']").select_option("speaker")
    page.locator("form:has(select[aria-label*='who']) button.primary").click()
    expect(page.locator("h2 .badge.good")).to_be_visible(timeout=120_000)


def choose(page, folder):
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(folder)
