"""The desk on every screen: what is in view, what moves, keys, reports, the spectrogram."""

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import WHOLE, comes_true, running
from tests.support.desk import OFFLINE, answered, at_desk, press, ready, wait_until_answerable
from tests.support.mutants import mutant
from tests.support.site import eventually

SIDEWAYS, SMALL, PORTRAIT = (740, 360), (320, 640), (360, 740)
ANSWERS = {"quick": ".answer", "words": ".answers textarea, .answers .actions button"}


@pytest.fixture(scope="module")
def browser():
    """In the headless shell the notice that there is no connection moves the answers by a line."""
    with running(WHOLE) as started:
        yield started


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    desk.open_unheard(site, tmp_path_factory.mktemp("screens"), quick=20, words=12)
    return site


@pytest.fixture
def person(site, visit):
    return desk.people(site, visit)


def boxes(page, selector):
    return page.evaluate(
        "(all) => [...document.querySelectorAll(all)].map((each) => each.getBoundingClientRect().toJSON())",
        selector,
    )


def cut_off(page, selector):
    """The boxes that are not in view as a whole."""
    width, height = page.evaluate("[innerWidth, innerHeight]")
    found = boxes(page, selector)
    assert found
    return [
        box
        for box in found
        if box["left"] < 0 or box["right"] > width or box["top"] < 0 or box["bottom"] > height
    ]


@mutant(
    "a telephone on its side shows the player and the answers together",
    "static/css/desk.css",
    kept_by="    grid-row: 1 / -1;\n    grid-column: 3;\n",
    broken="",
)
@pytest.mark.parametrize("slug", ANSWERS)
def test_a_telephone_shows_player_and_answers_together_in_every_language(person, slug):
    page = person(f"ada-{slug}")
    for language, _ in settings.LANGUAGES:
        page.set_extra_http_headers({"Accept-Language": language})
        page.set_viewport_size({"width": SMALL[0], "height": SMALL[1]})
        page.goto(f"/tag/{slug}/")
        ready(page)
        for width, height in (SMALL, SIDEWAYS, PORTRAIT):
            page.set_viewport_size({"width": width, "height": height})
            assert cut_off(page, f".play, .wave, {ANSWERS[slug]}") == [], (language, width)
            assert page.evaluate("document.documentElement.scrollWidth") == width, (language, width)
        lowest = max(box["bottom"] for box in boxes(page, ANSWERS[slug]))
        assert lowest > 0.7 * PORTRAIT[1], language  # where a thumb reaches


@mutant(
    "that there is no connection stays in view",
    "static/css/desk.css",
    kept_by="  position: sticky;\n  inset-block-start: 0;\n",
    broken="",
)
def test_that_there_is_no_connection_stays_in_view_and_moves_no_answer(person):
    page = person("bert", expected=[OFFLINE])
    page.set_viewport_size({"width": PORTRAIT[0], "height": PORTRAIT[1]})
    desk.prefetched(at_desk(page, "quick"), 2)
    before = boxes(page, ".answer")
    page.context.set_offline(True)
    press(page, "y")
    expect(page.get_by_text("No connection. Not sent yet")).to_be_visible()
    assert boxes(page, ".answer") == before
    assert cut_off(page, "[data-part=unsent], .play") == []
    page.evaluate("document.querySelector('.desk-tools').scrollIntoView({ block: 'start' })")
    assert cut_off(page, "[data-part=unsent], [data-part=status]") == []
    page.context.set_offline(False)
    answered(page, 1)


def test_the_box_is_the_second_stop_and_space_plays_outside_of_it(person):
    page = at_desk(person("cora"), "words")
    box = page.get_by_label("What is said?")
    page.locator(".play").focus()
    page.keyboard.press("Tab")
    expect(box).to_be_focused()
    comes_true(page, "document.querySelector('audio').ended")
    page.keyboard.type("a b")
    expect(box).to_have_value("a b")
    page.evaluate("document.querySelector('audio').currentTime = 0; document.activeElement.blur()")
    page.keyboard.press("Space")
    comes_true(page, "document.querySelector('audio').currentTime > 0")
    expect(box).to_have_value("a b")


@mutant(
    "a note with a contact in it is not sent, and the report is not lost",
    "static/js/desk/clip-desk.js",
    kept_by="    if (!this.note.check()) return;\n",
    broken="",
)
def test_two_taps_report_a_clip_and_the_thanks_are_in_view(site, person):
    page = at_desk(person("dora"), "quick")
    page.set_viewport_size({"width": SMALL[0], "height": SMALL[1]})
    wait_until_answerable(page)
    sent = []
    page.on("request", lambda call: call.url.endswith("/report/") and sent.append(call.post_data_json))
    page.locator(".report summary").click()
    page.get_by_label("A note for reviewers").fill("call 0171 2345678")
    assert cut_off(page, ".reasons button") == []
    page.get_by_role("button", name="Private").click()
    expect(page.get_by_role("alert")).to_contain_text("a telephone number")
    page.get_by_label("A note for reviewers").fill("her street")
    page.get_by_role("button", name="Private").click()
    expect(page.get_by_text("Thank you. Reviewers are told")).to_be_visible()
    assert cut_off(page, "[data-part=status]") == []
    ready(page)
    page.locator(".report summary").click()
    page.get_by_role("button", name="Cannot be heard").click()
    assert eventually(lambda: page.evaluate("1") and len(sent) == 2)
    assert sent == [{"reason": "private", "note": "her street"}, {"reason": "audio"}]


def test_several_people_is_a_mark_that_an_undone_answer_brings_back(person):
    page = at_desk(person("egon"), "quick")
    wait_until_answerable(page)
    page.keyboard.press("5")
    mark = page.get_by_label("Several people speak")
    expect(mark).to_be_checked()
    with page.expect_request("**/annotation/") as call:
        page.keyboard.press("1")
    assert call.value.post_data_json == {"answer": "yes", "several_speakers": True}
    answered(page, 1)
    ready(page)
    expect(mark).not_to_be_checked()
    page.keyboard.press("u")
    expect(mark).to_be_checked()


def test_the_spectrogram_is_loaded_when_it_is_asked_for(person):
    page = at_desk(person("fred", expected=["Canvas2D"]), "quick")
    wait_until_answerable(page)
    asked = []
    page.on("request", lambda call: "spectrogram" in call.url and asked.append(call.url))
    loaded = (
        "performance.getEntriesByType('resource').filter(({ name }) => name.includes('spectrogram')).length"
    )
    assert page.evaluate(loaded) == 0
    page.get_by_role("button", name="Spectrogram").click()
    comes_true(page, DRAWN)
    page.keyboard.press("4")
    answered(page, 1)
    ready(page)
    comes_true(page, DRAWN)
    assert len(asked) == 1
    page.get_by_role("button", name="Spectrogram").click()
    expect(page.locator(".spectrogram")).to_have_count(0)


# It has many shades, from the lowest to the highest row.
DRAWN = """(() => {
    const canvas = document.querySelector(".spectrogram");
    if (!canvas || canvas.width < 10) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size > 50;
})()"""


@mutant(
    "nothing on the desk moves while it starts",
    "static/css/desk.css",
    kept_by=" review-desk):not(:defined) .needs-script {\n    display: block;\n",
    broken=" review-desk):not(:defined) .needs-script {\n",
)
@pytest.mark.parametrize("slug", ANSWERS)
def test_nothing_moves_while_the_desk_starts(person, slug):
    page = person(f"gina-{slug}")
    page.add_init_script(NOTE_SHIFTS)
    for size in (PORTRAIT, (1280, 800)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"/tag/{slug}/")
        wait_until_answerable(page)
        assert page.evaluate("shifts") == [], size


@mutant(
    "a typeface that comes late moves nothing on the desk",
    "static/css/fonts.css",
    kept_by='  font-display: optional;\n  src: url("../fonts/commissioner-latin.woff2")',
    broken='  font-display: swap;\n  src: url("../fonts/commissioner-latin.woff2")',
)
@pytest.mark.parametrize("slug", ANSWERS)
def test_a_typeface_that_comes_late_moves_nothing(person, slug):
    page = person(f"hana-{slug}")
    page.add_init_script(NOTE_SHIFTS)
    late = []
    page.route("**/fonts/**", lambda route: late.append(route))
    page.goto(f"/tag/{slug}/", wait_until="commit")
    wait_until_answerable(page)
    page.evaluate(PAINTED)
    assert late
    for font in late:
        with page.expect_response("**/fonts/**"):
            font.continue_()
    comes_true(page, "document.fonts.status === 'loaded'")
    page.evaluate(PAINTED)
    assert page.evaluate("shifts") == []


PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
NOTE_SHIFTS = """{
    window.shifts = [];
    const told = ({ node, previousRect: was, currentRect: is }) =>
        [(node.outerHTML ?? node.parentElement.outerHTML).slice(0, 60), was.x, was.y, is.x, is.y];
    new PerformanceObserver((list) => {
        // Without a node it is the line in the waveform that follows the sound.
        const moved = list.getEntries().flatMap(({ sources }) => sources.filter(({ node }) => node));
        shifts.push(...moved.map(told));
    }).observe({ type: "layout-shift", buffered: true });
}"""


def test_without_a_script_clips_are_heard_answered_and_reported(site, person):
    page = person("hugo", java_script_enabled=False, expected=["400"])
    page.goto("/tag/quick/")
    expect(page.locator("audio")).to_be_visible()
    page.locator(".report summary").click()
    page.get_by_label("A note for reviewers").fill("write to a@b.example")
    page.get_by_role("button", name="Cannot be heard").click()
    expect(page.get_by_text("has an e-mail address")).to_be_visible()
    page.get_by_label("A note for reviewers").fill("only wind")
    page.get_by_role("button", name="Cannot be heard").click()
    expect(page.get_by_text("Thank you. Reviewers are told")).to_be_visible()
    page.get_by_label("Several people speak").check()
    page.get_by_role("button", name="Noise").click()
    expect(page.locator("#answered")).to_have_text("1")
