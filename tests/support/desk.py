"""What tests of the volunteer's desk share: a published site with work, and people at it."""

import json
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.support import sounds
from tests.support.browser import make_pledge
from tests.support.site import Site
from tests.whole_site.test_browser_journey import PASSWORD, PATIENT

JUNIPER = "Is it “hey juniper”?"
WRITE = "Write down what is said"


@contextmanager
def published(folder, **campaigns):
    """A site without DEBUG; campaigns are name=(kind, number of clips, options of create_campaign)."""
    with Site(folder / "home", DEBUG="0") as site:
        commands = []
        for slug, (kind, clips, *options) in campaigns.items():
            word = ("--wake-word", "hey juniper") if kind == "wake-word" else ()
            given = ("--language", "en", "--kind", kind, *word, *PATIENT, *options)
            record(slug, folder / slug, clips)
            consent = ("--contributor", "made", "--consent-reference", "made by a program")
            commands += [
                ("create_campaign", slug, *given),
                ("import_clips", folder / slug, "--campaign", slug, *consent),
            ]
        site.manage_all(commands)
        yield site


def record(slug, folder, clips, seconds=1.2):
    """`clips` is how many, or a list of samples."""
    made = (
        [sounds.babble(len(slug) * 100 + n, seconds) for n in range(clips)]
        if isinstance(clips, int)
        else clips
    )
    folder.mkdir()
    for n, samples in enumerate(made):
        (folder / f"{n:03}.wav").write_bytes(sounds.in_format("wav", samples))


def signed_up(page, name):
    """Signs up through the page, and stands before the campaigns."""
    page.goto("/accounts/signup/")
    page.get_by_label("Pseudonym").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Choose what to tag")).to_be_visible()
    make_pledge(page)
    expect(page.get_by_role("heading", name="Choose what to tag")).to_be_visible()
    return page


def people(site, visit):
    """Brings somebody new to this site, by name."""
    return lambda name, **options: signed_up(visit(base_url=site.url, **options), name)


def at_desk(page, slug):
    """Comes by a click, as people do: a page opened by itself may not play."""
    page.goto("/tag/")
    page.locator(f'main a[href="/tag/{slug}/"]').first.click()
    ready(page)
    return page


def without_pause(page):
    """The device's own choice: no pause after ten answers."""
    page.evaluate("localStorage.setItem('tagger:choices:pause', 'false')")
    return page


def ready(page):
    """The next clip is there, and nothing holds its answers back but what is not heard yet."""
    expect(page.locator("clip-desk:defined")).to_be_attached()
    expect(page.locator("[data-part=skip] button")).not_to_have_attribute("aria-disabled", "true")


def open_for_answers(page):
    ready(page)
    expect(page.locator("[data-hear][aria-disabled]")).to_have_count(0)


def press(page, key):
    """An answer by a key, once it may be given."""
    open_for_answers(page)
    page.keyboard.press(key)


def log_in_again(page, name):
    page.get_by_label("Pseudonym").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Choose what to tag")).to_be_visible()


def try_now(page):
    """Presses it, or nothing: the page tries by itself too, and when that got through the button is gone."""
    page.locator("[data-part=try-now]").dispatch_event("click")


def kept(page, kind=""):
    """What of this kind (letter, draft) lies on the device, for any account."""
    found = page.evaluate("Object.entries(localStorage)")
    return [value for key, value in found if key.startswith("tagger:work:") and f":{kind}" in key]


def held_by(site, name):
    """[[campaign, answer, changed?], …] in the order of giving, from the database."""
    code = f"""
import json
from accounts.models import User
given = User.objects.get_by_natural_key({name!r}).annotations.order_by("id")
print(json.dumps([[row.task.campaign.slug, row.answer, row.changed_at is not None] for row in given]))
"""
    return json.loads(site.manage("shell", "-v", "0", "-c", code).stdout)
