"""What tests of the tagging page share: a site with campaigns and clips, and volunteers who use it."""

import json
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.support import sounds
from tests.support.browser import comes_true, sounds_on
from tests.support.people import PASSWORD, log_in
from tests.support.site import QuickSite

# So many votes are needed that no clip settles, and every volunteer of this module finds work.
PATIENT = ("--min-annotations", "30", "--max-annotations", "40")
JUNIPER = "Is it “hey juniper”?"
WRITE = "Write down what is said"
OFFLINE = "ERR_INTERNET_DISCONNECTED"
TITLES = {JUNIPER: "“hey juniper” in English", WRITE: "Speech in English"}


@contextmanager
def published(folder, environment=None, **campaigns):
    """A site of its own, without DEBUG, with these campaigns."""
    with QuickSite(folder / "home", DEBUG="0", **(environment or {})) as site:
        open_campaigns(site, folder, **campaigns)
        yield site


def open_campaigns(site, folder, **campaigns):
    """Open campaigns with clips: name=(kind, number of clips, options of create_campaign)."""
    commands = []
    for slug, (kind, clips, *options) in campaigns.items():
        word = ("--wake-word", "hey juniper") if kind == "wake-word" else ()
        given = ("--language", "en", "--kind", kind, *word, *PATIENT, *options)
        write_clips(slug, folder / slug, clips)
        consent = ("--contributor", "made", "--consent-reference", "made by a program", "--licence", "MIT")
        commands += [
            ("create_campaign", slug, *given),
            ("import_clips", folder / slug, "--campaign", slug, *consent),
        ]
    site.manage_all(commands)


def open_unheard(site, folder, **clips):
    """Open campaigns whose clips may be answered before they were heard: name=number of clips.

    The one named words asks for transcripts, all others for a wake word.
    """
    kinds = {name: "transcription" if name == "words" else "wake-word" for name in clips}
    given = {name: (kinds[name], number, "--must-hear", "0") for name, number in clips.items()}
    open_campaigns(site, folder, **given)


def write_clips(slug, folder, clips, seconds=1.2):
    """Write WAV files: `clips` is their number, or a list of samples."""
    made = (
        [sounds.babble(len(slug) * 100 + n, seconds) for n in range(clips)]
        if isinstance(clips, int)
        else clips
    )
    folder.mkdir()
    for n, samples in enumerate(made):
        (folder / f"{n:03}.wav").write_bytes(sounds.in_format("wav", samples))


def people(site, visit):
    """A function that logs a new volunteer in on this site, by name."""
    return lambda name, **options: log_in(site, visit(base_url=site.url, **options), name)


def at_desk(page, slug):
    """Open the page by a click, as people do: without one the browser may not play sound."""
    page.goto("/tag/")
    page.locator(f'main a[href="/tag/{slug}/"]').first.click()
    ready(page)
    return page


def without_pause(page):
    """Switch off the pause after ten answers on this device."""
    page.evaluate("localStorage.setItem('tagger:choices:pause', 'false')")
    return page


def ready(page):
    """Wait until the next clip is shown, so that only hearing it is missing before an answer."""
    expect(page.locator("clip-desk:defined")).to_be_attached()
    expect(page.locator("[data-part=skip] button")).not_to_have_attribute("aria-disabled", "true")


def wait_until_answerable(page):
    """Wait until enough of the clip was heard for every answer."""
    ready(page)
    expect(page.locator("[data-hear][aria-disabled]")).to_have_count(0)


def listen(page):
    """Wait until the clip plays. Returns its address, which is different for each clip."""
    audio = page.locator("clip-player > audio")
    if audio.evaluate("audio => audio.paused && !audio.currentTime"):
        page.get_by_role("button", name="Play").click()
    sounds_on(page)
    return audio.get_attribute("src")


def prefetched(page, number):
    """Wait until this many clips were downloaded."""
    whole = "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/audio/'))"
    comes_true(page, f"{whole}.length >= {number}")


def answered(page, number):
    expect(page.locator("#answered")).to_have_text(str(number))


def press(page, key):
    """Press an answer's key as soon as the answer may be given."""
    wait_until_answerable(page)
    page.keyboard.press(key)


def log_in_again(page, name):
    page.get_by_label("Pseudonym").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name="Choose what to listen to")).to_be_visible()


def try_now(page):
    """Press “Try now” if it is still there: the page also retries by itself, and then hides the button."""
    page.locator("[data-part=try-now]").dispatch_event("click")


def stored_on_device(page, kind=""):
    """What the device stores of this kind (letter, draft), for any account."""
    found = page.evaluate("Object.entries(localStorage)")
    return [value for key, value in found if key.startswith("tagger:work:") and f":{kind}" in key]


def post(page, address, data=None):
    """What the API says to this person, on whose page nothing of it is seen."""
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"].endswith("csrftoken"))
    return page.request.post(f"/api/v1/{address}", data=data, headers={"X-CSRFToken": token})


def answers_of(site, name):
    """[[campaign, answer, changed?], …] in the order they were given, from the database."""
    code = f"""
import json
from accounts.models import User
given = User.objects.get_by_natural_key({name!r}).annotations.order_by("id")
print(json.dumps([[row.task.campaign.slug, row.answer, row.changed_at is not None] for row in given]))
"""
    return json.loads(site.manage("shell", "-v", "0", "-c", code).stdout)
