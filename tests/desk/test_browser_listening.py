"""Hearing and answering on the tagging page: sound, how much must be heard, keys, writing, page weight."""

import ast
from base64 import b64encode

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support import desk, sounds
from tests.support.browser import comes_true
from tests.support.desk import (
    answered,
    answers_of,
    at_desk,
    prefetched,
    ready,
    stored_on_device,
    wait_until_answerable,
)
from tests.support.mutants import mutant
from tests.support.site import eventually

SECONDS = 1.2
LONG = 6


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    anything = ("--must-hear", "0")
    desk.open_campaigns(
        site,
        tmp_path_factory.mktemp("listening"),
        quick=("wake-word", 12, *anything),
        words=("transcription", 8, *anything),
        drafted=("transcription", 4, *anything, "--drafts-by", "a small model"),
        strict=("wake-word", [in_silence(sounds.babble(n, LONG)) for n in range(4)]),
        half=("transcription", [sounds.babble(70, LONG)], "--must-hear", "0.5"),
    )
    return site


def in_silence(samples, seconds=1.0):
    """The samples with silence before and after them."""
    silence = np.zeros(round(seconds * sounds.RATE), np.int16)
    return np.concatenate([silence, samples, silence])


@pytest.fixture
def person(site, visit):
    return desk.people(site, visit)


def audio(page, what):
    return page.evaluate(f"document.querySelector('audio').{what}")


def locked(page):
    """The names of the answers that cannot be given yet."""
    return [each.split()[0] for each in page.locator("[data-hear][aria-disabled]").all_inner_texts()]


def play_to(page, seconds):
    comes_true(page, f"document.querySelector('audio').currentTime >= {seconds}")


# --- how much was heard -------------------------------------------------------------------------


@mutant(
    "no answer before enough was heard",
    "static/js/desk/answer-gate.js",
    kept_by="    return heard(audio) >= share * audio.duration - TOLERANCE;\n",
    broken="    return true;\n",
)
def test_answers_open_halfway_and_yes_at_the_end(person):
    page = at_desk(person("ada"), "strict")
    assert locked(page) == ["Yes", "Similar", "No", "Noise"]
    page.keyboard.press("3")
    expect(
        page.get_by_role("status").filter(has_text="once you have heard enough of the clip")
    ).to_be_visible()
    comes_true(page, "document.querySelectorAll('[data-hear][aria-disabled]').length === 1")
    assert locked(page) == ["Yes"]
    assert LONG / 2 - 0.5 < audio(page, "currentTime") < LONG
    wait_until_answerable(page)
    assert audio(page, "ended")
    expect(page.locator("[data-part=hint]")).to_be_hidden()


# Runs in the page, because a clip keeps playing while a test waits.
JUMP_TO_THE_END = """async () => {
    const audio = document.querySelector("audio");
    while (audio.currentTime < 0.3) await new Promise(requestAnimationFrame);
    audio.currentTime = audio.duration - 0.5;
}"""


def test_seeking_and_replaying_a_part_do_not_count_as_hearing_the_clip(person):
    page = at_desk(person("bert"), "strict")
    page.evaluate(JUMP_TO_THE_END)
    comes_true(page, "document.querySelector('audio').ended")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
        comes_true(page, "document.querySelector('audio').ended")
    assert locked(page) == ["Yes", "Similar", "No", "Noise"]


def test_the_campaign_sets_how_much_must_be_heard(person):
    page = at_desk(person("carl"), "half")
    assert len(locked(page)) == 2
    wait_until_answerable(page)
    assert LONG / 2 - 0.5 < audio(page, "currentTime") < LONG - 1


# --- how it sounds ------------------------------------------------------------------------------


def test_silence_at_both_ends_is_skipped_unless_switched_off(person):
    page = at_desk(person("dora"), "strict")
    comes_true(page, "document.querySelector('audio').duration > 0")
    assert LONG < audio(page, "duration") < LONG + 1
    page.get_by_role("button", name="Keys and sound").click()
    page.get_by_label("Skip silence at the start and end").uncheck()
    page.get_by_label("Play each clip automatically").uncheck()
    page.reload()
    ready(page)
    comes_true(page, "document.querySelector('audio').duration > 0")
    assert audio(page, "duration") == LONG + 2
    assert audio(page, "paused")


def test_clips_are_levelled_to_equal_loudness_without_distortion(person):
    page = person("egon")
    voice = sounds.babble(80, SECONDS)
    soft, loud, peaky = voice // 6, voice, voice.copy()
    peaky[500] = 32_000
    peaks = [max(prepared(page, samples)["peaks"]) for samples in (soft, loud, peaky)]
    assert abs(peaks[0] / peaks[1] - 1) < 0.2
    assert peaks[2] <= 0.98
    as_it_is = max(prepared(page, soft, levels=False)["peaks"])
    assert abs(as_it_is - 12_000 / 6 / 32_768) < 0.001
    assert as_it_is < peaks[0] / 4


def test_a_silent_clip_is_played_unchanged(person):
    page = person("emma")
    heard = prepared(page, np.zeros(sounds.RATE, np.int16))
    assert (heard["seconds"], max(heard["peaks"])) == (1, 0)


def prepared(page, samples, trims=True, levels=True):
    """What the page's player makes of a clip: its seconds, and peaks from 0 to 1."""
    file = b64encode(sounds.in_format("wav", samples)).decode()
    return page.evaluate(PREPARE, [file, {"trims": trims, "levels": levels}])


PREPARE = """async ([file, choices]) => {
    const { prepare } = await import("/static/js/player/sound.js");
    const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
    return prepare(new Blob([bytes]), choices);
}"""


def test_the_speed_is_remembered_for_later_clips_and_keeps_the_pitch(person):
    page = at_desk(person("fred"), "quick")
    page.get_by_label("Speed").select_option("2")
    assert (audio(page, "playbackRate"), audio(page, "preservesPitch")) == (2, True)
    page.get_by_role("button", name="Noise").click()
    answered(page, 1)
    ready(page)
    assert (audio(page, "playbackRate"), audio(page, "preservesPitch")) == (2, True)
    page.reload()
    ready(page)
    assert audio(page, "playbackRate") == 2


def mark(page, start, end):
    """Mark a part by keys, while the clip is paused."""
    page.evaluate("document.querySelector('audio').pause()")
    for key, at in (("[", start), ("]", end)):
        page.evaluate(f"document.querySelector('audio').currentTime = {at}")
        page.keyboard.press(key)


def play(page):
    """Start playing, if it does not already."""
    page.evaluate("document.querySelector('audio').play()")


def test_a_part_is_marked_and_repeated_by_keys(person):
    page = at_desk(person("gina"), "strict")
    mark(page, 1, 1.5)
    page.keyboard.press("0")
    play(page)
    page.evaluate(COUNT_SEEKS)
    comes_true(page, "window.seeks >= 2")
    assert 0.9 <= audio(page, "currentTime") < 2
    page.keyboard.press("0")
    page.get_by_role("button", name="The whole clip").click()
    play(page)  # the part may have ended before the press
    comes_true(page, "document.querySelector('audio').currentTime > 2")


def test_a_report_contains_the_marked_part_in_seconds_of_the_whole_clip(site, person):
    page = at_desk(person("gerd"), "strict")
    mark(page, 1, 1.5)
    page.keyboard.press("r")
    page.get_by_role("button", name="Private").click()
    expect(page.get_by_text("Thank you. Reviewers are told")).to_be_visible()
    assert eventually(lambda: marked(site))
    [(start, end)] = marked(site)
    # The clip begins with a second of silence, of which the player keeps a little.
    assert (start, end) == (pytest.approx(1.85, abs=0.1), pytest.approx(start + 0.5, abs=0.05))


def marked(site):
    """[(start, end), …] of all reports that mark a part, in seconds."""
    code = """
from tagger.models import Report
print(list(Report.objects.filter(part_to__gt=0).values_list("part_from", "part_to")))
"""
    return ast.literal_eval(site.manage("shell", "-v", "0", "-c", code).stdout)


COUNT_SEEKS = """() => {
    window.seeks = 0;
    document.querySelector("audio").addEventListener("seeking", () => { window.seeks += 1; });
}"""


def test_a_click_on_the_waveform_seeks_and_dragging_marks_a_part(person):
    page = at_desk(person("hedy"), "strict")
    play_to(page, 0.1)
    page.keyboard.press("Space")
    comes_true(page, "document.querySelector('audio').paused")
    wave = page.locator(".wave").bounding_box()
    middle = wave["y"] + wave["height"] / 2
    page.mouse.click(wave["x"] + wave["width"] / 2, middle)
    assert abs(audio(page, "currentTime") / audio(page, "duration") - 0.5) < 0.02
    page.mouse.move(wave["x"] + wave["width"] / 4, middle)
    page.mouse.down()
    page.mouse.move(wave["x"] + wave["width"] * 3 / 4, middle, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="The whole clip")).to_be_visible()
    assert abs(audio(page, "currentTime") / audio(page, "duration") - 0.25) < 0.02


def test_the_next_clips_are_decoded_in_advance_so_that_no_answer_waits_for_the_network(person):
    page = at_desk(person("ivo"), "quick")
    prefetched(page, 3)
    heard = {audio(page, "src")}
    page.route("**/audio/", lambda route: None)  # no more sound is served
    for number in (1, 2):
        wait_until_answerable(page)
        page.keyboard.press("4")
        answered(page, number)
        ready(page)
        heard.add(audio(page, "src"))
    assert len(heard) == 3
    page.unroute_all(behavior="ignoreErrors")


def test_a_headsets_button_plays_and_pauses(person):
    page = person("jan")
    page.add_init_script(KEEP_HANDLERS)
    at_desk(page, "strict")
    play_to(page, 0.1)
    page.evaluate("handlers.pause()")
    assert audio(page, "paused")
    page.evaluate("handlers.play()")
    assert not audio(page, "paused")


KEEP_HANDLERS = """{
    window.handlers = {};
    const { setActionHandler } = MediaSession.prototype;
    MediaSession.prototype.setActionHandler = function (name, handler) {
        handlers[name] = handler;
        setActionHandler.call(this, name, handler);
    };
}"""


# --- keys ---------------------------------------------------------------------------------------


def test_keys_are_listed_and_can_be_changed_for_this_device(site, person):
    page = at_desk(person("kim"), "quick")
    page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keys")
    expect(listed.get_by_role("row")).to_have_count(17)
    listed.get_by_role("row", name="Yes").get_by_role("button").click()
    page.keyboard.press("3")
    expect(listed.get_by_text("no longer does: No")).to_be_visible()
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    expect(page.locator(".answer[value=yes] kbd")).to_have_text(["3"])
    expect(page.locator(".answer[value=no] kbd")).to_have_count(0)
    page.reload()
    wait_until_answerable(page)
    page.keyboard.press("3")
    answered(page, 1)
    assert answers_of(site, "kim") == [["quick", "yes", False]]
    page.get_by_role("button", name="Keys and sound").click()
    page.get_by_role("button", name="Reset all keys").click()
    expect(page.locator(".answer[value=yes] kbd")).to_have_text(["1", "Y"])


def test_single_keys_can_be_switched_off(person):
    page = at_desk(person("lea"), "quick")
    page.get_by_role("button", name="Keys and sound").click()
    page.get_by_label("Use single letters, digits and symbols as keys").uncheck()
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".answer kbd")).to_have_count(0)
    wait_until_answerable(page)
    for key in "1y36ru?":
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Yes").click()
    answered(page, 1)


def test_no_key_answers_while_the_dialog_is_open(person):
    page = at_desk(person("max"), "quick")
    wait_until_answerable(page)
    page.keyboard.press("?")
    for key in "1y36":
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    answered(page, 1)


# --- writing ------------------------------------------------------------------------------------


def test_unsent_text_survives_a_reload_and_is_deleted_once_sent(site, person):
    page = at_desk(person("nora"), "words")
    box = page.get_by_label("What is said?")
    box.fill("switch the light")
    assert [("switch the light" in draft) for draft in stored_on_device(page, "draft")] == [True]
    page.reload()
    ready(page)
    expect(box).to_have_value("switch the light")
    box.press("End")
    box.press_sequentially(" on")
    page.get_by_role("button", name="[unclear]").click()
    expect(box).to_be_focused()
    expect(box).to_have_value("switch the light on [unclear] ")
    wait_until_answerable(page)
    page.keyboard.press("Control+Enter")
    answered(page, 1)
    expect(box).to_have_value("")
    assert stored_on_device(page) == []
    assert answers_of(site, "nora") == [["words", "switch the light on [unclear]", False]]


def test_playing_and_rewinding_work_by_keys_inside_the_text_box(person):
    page = at_desk(person("olga"), "half")
    box = page.get_by_label("What is said?")
    box.click()
    play_to(page, 2.5)
    page.keyboard.press("Control+Space")
    assert audio(page, "paused")
    at = audio(page, "currentTime")
    page.keyboard.press("Control+,")
    assert not audio(page, "paused")
    assert audio(page, "currentTime") < at - 1
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    assert (box.get_attribute("lang"), box.get_attribute("dir")) == ("en", "ltr")


WRITE_DRAFTS = """
from datasets.models import Task
from datasets.words import columns
for task in Task.objects.filter(campaign__slug="drafted").select_related("campaign", "clip__contributor"):
    task.draft = "turn on the lice"
    task.save(update_fields=columns("draft"))
"""


def test_a_machines_draft_is_off_by_default_marked_as_such_and_copied_only_by_a_press(site, person):
    site.manage("shell", "-c", WRITE_DRAFTS)
    page = at_desk(person("vera"), "drafted")
    calls = []
    page.on("request", lambda request: calls.append(request.url))
    draft, box = page.get_by_text("turn on the lice"), page.get_by_label("What is said?")
    wait_until_answerable(page)
    page.get_by_role("button", name="No one speaks").click()
    answered(page, 1)
    assert not [url for url in calls if url.endswith("/draft/")]  # off: the page does not even ask
    ready(page)
    page.keyboard.press("Control+/")
    page.get_by_label("Show me a machine's draft where there is one").check()
    page.get_by_role("button", name="Close").click()
    shown = page.get_by_role("status").filter(has=draft)
    expect(shown).to_contain_text("Written by a machine (a small model)")
    assert box.input_value() == ""
    page.get_by_role("button", name="Copy it into the box").click()
    expect(box).to_have_value("turn on the lice ")  # ready for the next word
    expect(box).to_be_focused()
    box.fill("turn on the light")
    wait_until_answerable(page)
    page.get_by_role("button", name="Send").click()
    answered(page, 2)
    expect(draft).to_be_visible()  # the next clip's draft, as the setting is remembered
    assert [answer for _, answer, _ in answers_of(site, "vera")] == ["", "turn on the light"]


def test_undo_puts_a_transcript_back_into_its_box(site, person):
    page = at_desk(person("pia"), "words")
    box = page.get_by_label("What is said?")
    box.fill("hey juniper")
    wait_until_answerable(page)
    page.keyboard.press("Control+Enter")
    answered(page, 1)
    ready(page)
    box.fill("the next one")
    page.get_by_role("button", name="Undo the last answer").click()
    expect(box).to_have_value("hey juniper")
    box.fill("hey june")
    wait_until_answerable(page)
    with page.expect_response("**/api/v1/annotations/*/"):
        page.keyboard.press("Control+Enter")
    expect(box).to_have_value("the next one")
    assert answers_of(site, "pia") == [["words", "hey june", True]]


# --- weight -------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["quick", "words"])
def test_the_page_is_under_150_kilobytes_without_its_sounds(person, slug):
    page = person(f"quin-{slug}")
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto(f"/tag/{slug}/")
    ready(page)
    sizes = page.evaluate(TRANSFERS)
    assert len(sizes) > 20
    assert all(size > 0 for size in sizes)
    assert sum(sizes) < 150_000


TRANSFERS = """() => ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
    .filter(({ name }) => !name.startsWith("blob:") && !new URL(name).pathname.startsWith("/api/"))
    .map(({ transferSize, encodedBodySize }) => Math.max(transferSize, encodedBodySize))"""
