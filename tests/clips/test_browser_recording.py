"""Recording in a real browser whose microphone plays a file, from pressing Record to the stored clip."""

import base64
import itertools
import json
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from datasets.clips import audio
from tests.support import sounds
from tests.support.browser import PHONE, WHOLE, comes_true, running, sounds_on, too_small, too_wide
from tests.support.desk import log_in_again
from tests.support.mutants import mutant
from tests.support.people import PASSWORD, log_in

SECONDS = 20  # of the file; more than any take here
SENTENCES = ("the kettle is on the stove", "is it raining outside", "call me when you get home")


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """The file that the microphone plays, and its samples."""
    file = tmp_path_factory.mktemp("microphone") / "speech.wav"
    samples = sounds.babble(seed=3, seconds=SECONDS)
    file.write_bytes(sounds.in_format("wav", samples))
    return file, samples


@pytest.fixture(scope="module")
def browser(heard):
    """Refuses access to the microphone unless the test has granted it. The headless shell grants none."""
    microphone = (
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={heard[0]}%noloop",
    )
    with running(WHOLE, microphone) as started:
        yield started


@pytest.fixture(scope="module")
def studio(browser, site, tmp_path_factory):
    """The running site, with one campaign to speak freely and one with sentences to read."""
    file = tmp_path_factory.mktemp("studio") / "sentences.txt"
    file.write_text("\n".join(SENTENCES))
    site.manage(
        "create_campaign", "say-juniper", "--kind=wake-word", "--language=en", "--wake-word=hey juniper"
    )
    site.manage("create_campaign", "read-aloud", "--kind=transcription", "--language=en", "--prompts", file)
    return site


# What a page did with the microphone: its requests, and each track that it got.
WATCH = """() => {
    window.asked = [];
    window.tracks = [];
    const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        window.asked.push(wanted);
        const stream = await original(wanted);
        window.tracks.push(...stream.getTracks());
        return stream;
    };
}"""


@pytest.fixture
def contributor(studio, visit):
    """Signs up, agrees, and opens the page with the recorder."""

    def sign_up(name, address="/record/say-juniper/", *, agrees=True, microphone=True, script="", **options):
        page = visit(base_url=studio.url, **options)
        if microphone:
            page.context.grant_permissions(["microphone"], origin=studio.url)
        if options.get("java_script_enabled", True):
            page.add_init_script(f"({WATCH})(); {script}")
        log_in(studio, page, name, has_pledged=False)
        if agrees:
            agree(page)
        page.goto(address)
        return page

    return sign_up


def agree(page):
    page.goto("/profile/consent/")
    for material in ("wake-word clips", "utterances"):
        page.get_by_label(f"Volunteers may hear my {material}").check()
    page.get_by_role("button", name="Agree to what is ticked").click()
    expect(page.locator(".consent-live li")).to_have_count(2)


def clips_of(site, name):
    """[[seconds, reference, int16 samples], …] in the order in which they were sent, from the vault."""
    code = f"""
import base64, json
from accounts.models import User
from datasets.clips import vault
clips = User.objects.get_by_natural_key({name!r}).clips.order_by("id")
rows = [[c.seconds, c.tasks.get().reference, base64.b64encode(vault.get(c)).decode()] for c in clips]
print(json.dumps(rows))
"""
    rows = json.loads(site.manage("shell", "-v", "0", "-c", code).stdout)
    return [(seconds, text, audio.read(base64.b64decode(wav))) for seconds, text, wav in rows]


def recorder(page):
    return page.locator("[data-part=recorder]")


# Every take begins at the beginning of the file, so two takes of the same length would be the same recording,
# and the second would be refused. So each take is a little longer than the one before.
lengths = (1.2 + n / 5 for n in itertools.count())


def record(page, seconds=None):
    """Press Record, wait for this many seconds, press Stop."""
    page.get_by_role("button", name="Record").click()
    wait_for_seconds(page, seconds or next(lengths))
    page.get_by_role("button", name="Stop").click()


def wait_for_seconds(page, seconds):
    expect(recorder(page)).to_have_attribute("data-state", "recording")
    comes_true(page, f"Number(document.querySelector('[data-part=seconds]').textContent) >= {seconds}")


def recorded(page):
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    return float(page.locator("clip-player").get_attribute("data-seconds"))


def send(page, said="Thank you: your recording is shared."):
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()


def microphone_is_off(page):
    states = page.evaluate("tracks.map((track) => track.readyState)")
    return bool(states) and set(states) == {"ended"}


def likeness(part, whole):
    """The correlation of `part` with `whole` where it fits best; 1 means equal except for loudness."""
    part, whole = (samples.astype(float) - samples.mean() for samples in (part, whole))
    size = 1 << (len(part) + len(whole)).bit_length()
    products = np.fft.irfft(np.fft.rfft(whole, size) * np.fft.rfft(part, size).conj(), size)[: len(whole)]
    place = int(np.argmax(products[: len(whole) - len(part)]))
    there = whole[place : place + len(part)]
    return float(part @ there / np.sqrt((part @ part) * (there @ there)))


@mutant(
    "the microphone is turned off after each take",
    "static/js/record/microphone.js",
    kept_by=" track.stop();",
    broken=" track.muted;",
)
def test_the_sound_of_the_microphone_is_stored(studio, contributor, heard):
    page = contributor("anna")
    assert page.evaluate("asked.length") == 0
    expect(page.get_by_text("Send a file instead")).to_be_visible()
    record(page, 3.1)
    shown = recorded(page)
    assert 3 <= shown < 6
    assert microphone_is_off(page)
    [wanted] = page.evaluate("asked")
    off = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}
    assert off.items() <= wanted["audio"].items()
    send(page)
    expect(page.locator("#shared")).to_have_text("1")
    expect(page.get_by_role("button", name="Record")).to_be_focused()
    [(seconds, reference, samples)] = clips_of(studio, "anna")
    assert seconds == pytest.approx(shown, abs=0.1)
    inner = samples[round(0.3 * sounds.RATE) :]  # a microphone needs a moment
    pieces = np.array_split(inner, len(inner) * 2 // sounds.RATE)  # a little over half a second each
    # A busy browser loses some milliseconds of the microphone, and the piece with the gap fits less well.
    assert sum(likeness(piece, heard[1]) > 0.98 for piece in pieces) >= len(pieces) - 1 >= 3
    assert reference == ""


@mutant(
    "nothing leaves the device before Send is pressed",
    "static/js/record/record.js",
    kept_by='    this.#setState("review");\n    this.player.button.focus();\n',
    broken='    this.#setState("review");\n    this.#send();\n',
)
def test_nothing_leaves_the_device_before_send_is_pressed(contributor):
    page = contributor("bodo")
    requests = []
    page.on("request", lambda request: requests.append((request.method, urlsplit(request.url).path)))
    record(page)
    recorded(page)
    page.get_by_role("button", name="Play").click()
    sounds_on(page)
    sent = [(method, path) for method, path in requests if method != "GET" or path.startswith("/record")]
    assert sent == []
    assert page.evaluate("!window.dispatchEvent(new Event('beforeunload', { cancelable: true }))")


def test_taking_it_again_replaces_the_first_take(studio, contributor):
    page = contributor("cora")
    record(page, 3)
    first = recorded(page)
    page.get_by_role("button", name="Record again").click()
    wait_for_seconds(page, next(lengths))
    page.get_by_role("button", name="Stop").click()
    second = recorded(page)
    send(page)
    assert second < first
    assert [round(seconds, 2) for seconds, *_rest in clips_of(studio, "cora")] == [round(second, 2)]
    assert microphone_is_off(page)


def test_a_take_that_is_too_short_is_rejected(studio, contributor):
    page = contributor("dirk")
    page.get_by_role("button", name="Record").click()
    expect(recorder(page)).to_have_attribute("data-state", "recording")
    page.evaluate("document.querySelector('voice-recorder').dataset.shortest = 5")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Too short")).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_hidden()
    assert microphone_is_off(page)
    page.evaluate("document.querySelector('voice-recorder').dataset.shortest = 1")
    record(page)
    recorded(page)


def test_recording_stops_by_itself_at_the_longest_length(studio, contributor):
    page = contributor("elsa")
    assert page.locator("voice-recorder").get_attribute("data-longest") == "15"
    page.evaluate("document.querySelector('voice-recorder').dataset.longest = 2")
    page.get_by_role("button", name="Record").click()
    assert recorded(page) == 2
    expect(page.get_by_text("Stopped at")).to_be_visible()
    assert microphone_is_off(page)
    send(page)
    assert [seconds for seconds, *_rest in clips_of(studio, "elsa")] == [2]


def test_sentences_are_read_in_turn_without_a_page_load(studio, contributor):
    page = contributor("fred", "/record/read-aloud/")
    page.evaluate("window.stillThisPage = true")
    asked = []
    for number in range(len(SENTENCES)):
        asked.append(page.locator("[data-part=prompt]").inner_text())
        page.keyboard.press("Space")
        wait_for_seconds(page, next(lengths))
        page.keyboard.press("Space")
        recorded(page)
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("#shared")).to_have_text(str(number + 1))
    assert sorted(asked) == sorted(SENTENCES)
    expect(page.get_by_role("heading", name="You have read every sentence")).to_be_visible()
    assert page.evaluate("window.stillThisPage")
    assert [text for _seconds, text, _samples in clips_of(studio, "fred")] == asked


def test_a_take_that_could_not_be_sent_is_kept_and_can_be_sent_again(studio, contributor):
    page = contributor("gitta", expected=["ERR_INTERNET_DISCONNECTED", "502"])
    record(page)
    recorded(page)
    page.context.set_offline(True)
    send(page, "Not sent: no connection.")
    page.context.set_offline(False)
    page.route("**/record/**", lambda route: route.fulfill(status=502))
    send(page, "Not sent: no connection.")
    page.unroute("**/record/**")
    send(page)
    assert len(clips_of(studio, "gitta")) == 1


def test_an_answer_that_was_lost_leads_to_no_second_clip(studio, contributor):
    page = contributor("hugo", "/record/read-aloud/", expected=["ERR_FAILED"])
    record(page)
    recorded(page)

    def lose(route):
        route.fetch()
        route.abort()

    page.route("**/record/**", lose)
    send(page, "Not sent: no connection.")
    page.unroute("**/record/**")
    send(page, "You have already shared this recording.")
    assert len(clips_of(studio, "hugo")) == 1


def test_after_a_log_out_the_same_take_is_sent_from_a_new_log_in(studio, contributor):
    page = contributor("irma")
    record(page)
    recorded(page)
    page.context.clear_cookies()
    send(page, "you are logged out")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in again").click()
    second = opened.value
    second.get_by_label("Pseudonym").fill("irma")
    second.get_by_label("Password").fill(PASSWORD)
    second.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
    expect(second.get_by_role("heading", name="Choose what to listen to")).to_be_visible()
    second.close()
    send(page)
    assert len(clips_of(studio, "irma")) == 1


@mutant(
    "no recording is sent under another person's account",
    "static/js/record/send.js",
    kept_by="  await checkAccount();\n",
    broken="",
)
def test_a_take_is_not_sent_by_the_next_person_who_logs_in_here(studio, contributor):
    """Nor if nothing tells this page of the other person: the script that does is left out."""
    other = contributor("ilse")
    other.context.close()
    page = contributor("ivan", expected=["ERR_FAILED"])
    page.context.route("**/site/account*.js", lambda route: route.abort())
    page.reload()
    record(page)
    recorded(page)
    page.context.clear_cookies()
    second = page.context.new_page()
    second.goto("/accounts/login/")
    log_in_again(second, "ilse")
    send(page, "you are logged out")
    assert clips_of(studio, "ilse") == clips_of(studio, "ivan") == []


def test_after_consent_was_withdrawn_nothing_is_stored_and_the_page_says_so(studio, contributor):
    page = contributor("jens", expected=["403"])
    record(page)
    recorded(page)
    code = """
from django.utils import timezone
from accounts import consent
from accounts.models import User
consent.withdraw(User.objects.get_by_natural_key("jens"), timezone.now())
"""
    studio.manage("shell", "-c", code)
    send(page, "Nothing was stored: you have not agreed to this, or no longer do.")
    assert clips_of(studio, "jens") == []


def test_without_permission_for_the_microphone_a_file_can_be_sent(studio, contributor, heard):
    page = contributor("kaja", microphone=False)
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text("does not let this page use the microphone")).to_be_visible()
    expect(recorder(page)).to_have_attribute("data-state", "idle")
    page.get_by_label("A recording of 1 to 15 seconds").set_input_files(
        {"name": "own.flac", "mimeType": "audio/flac", "buffer": sounds.in_format("flac", heard[1][:32_000])}
    )
    page.get_by_role("button", name="Send this file").click()
    expect(page.get_by_text("Thank you: your recording is shared.")).to_be_visible()
    [(_seconds, _text, samples)] = clips_of(studio, "kaja")
    assert (samples == heard[1][:32_000]).all()


REFUSE = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{name}'));"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (REFUSE.format(name="NotFoundError"), "No microphone was found"),
        (REFUSE.format(name="NotReadableError"), "could not be started"),
    ],
    ids=("none", "taken by another program"),
)
def test_a_microphone_that_cannot_be_used_is_explained(contributor, script, said):
    page = contributor("lara" + said[:2], script=script)
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_label("A recording of 1 to 15 seconds")).to_be_visible()


def test_a_browser_that_cannot_record_offers_to_send_a_file(contributor):
    page = contributor("mona", script="delete window.AudioWorkletNode;")
    expect(page.get_by_text("This browser cannot record on this page.")).to_be_visible()
    expect(page.locator("[data-part=record]")).to_be_hidden()
    expect(page.get_by_label("A recording of 1 to 15 seconds")).to_be_visible()


def test_without_javascript_a_file_is_sent_and_a_bad_one_is_explained(studio, contributor):
    page = contributor("nora", java_script_enabled=False, expected=["400", "413"])
    box = page.get_by_label("A recording of 1 to 15 seconds")
    for content, said in (
        (b"nothing", "This recording cannot be accepted"),
        (bytes(6_000_000), "This file is larger than 2 MB."),
    ):
        box.set_input_files({"name": "a.wav", "mimeType": "audio/wav", "buffer": content})
        page.get_by_role("button", name="Send this file").click()
        expect(page.get_by_text(said)).to_be_visible()
    good = sounds.in_format("webm", sounds.babble(5, 2))
    box.set_input_files({"name": "a.webm", "mimeType": "audio/webm", "buffer": good})
    page.get_by_role("button", name="Send this file").click()
    expect(page.get_by_text("Thank you: your recording is shared.")).to_be_visible()
    assert len(clips_of(studio, "nora")) == 1


def test_without_consent_there_is_no_button_and_no_microphone(studio, contributor):
    page = contributor("olaf", agrees=False)
    expect(page.get_by_text("You have not agreed that volunteers may hear")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    page.keyboard.press("Space")
    assert page.evaluate("asked.length") == 0
    assert clips_of(studio, "olaf") == []


def test_leaving_the_page_turns_the_microphone_off(contributor):
    page = contributor("pia")
    page.get_by_role("button", name="Record").click()
    expect(recorder(page)).to_have_attribute("data-state", "recording")
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert microphone_is_off(page)
    expect(recorder(page)).to_have_attribute("data-state", "idle")


def test_frequencies_too_high_for_16_khz_are_filtered_out_and_do_not_alias(contributor):
    """Tones through the page's own resampler, at the sample rates of microphones."""
    page = contributor("rosa")
    levels = page.evaluate("""async () => {
        const { resample } = await import("/static/js/record/wav.js");
        const levels = [];
        for (const rate of [48000, 44100, 96000]) {
            for (const hertz of [300, 6500, 9000, 12000, 15000]) {
                const turn = (2 * Math.PI * hertz) / rate;
                const tone = Float32Array.from({ length: rate }, (_, n) => Math.sin(turn * n));
                const out = resample(tone, rate);
                const middle = out.subarray(1000, 15000);
                const power = middle.reduce((sum, each) => sum + each * each, 0) / middle.length;
                levels.push([rate, hertz, out.length, 10 * Math.log10(2 * power + 1e-12)]);
            }
        }
        return levels;
    }""")
    for rate, hertz, length, decibels in levels:
        assert length == sounds.RATE
        if hertz < 8000:
            assert abs(decibels) < 0.1, (rate, hertz)
        else:
            assert decibels < -60, (rate, hertz)


def test_the_pages_fit_a_phone(contributor):
    page = contributor("sven", "/record/", **PHONE)
    assert too_wide(page) == too_small(page) == []
    page.goto("/record/read-aloud/")
    assert too_wide(page) == too_small(page) == []
    record(page)
    recorded(page)
    assert too_wide(page) == too_small(page) == []
