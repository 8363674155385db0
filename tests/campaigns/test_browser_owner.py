"""In a browser: a campaign from idea to release without a command, in English and in Spanish."""

import json

import pytest
from playwright.sync_api import expect

from tests.imports.test_browser_imports import bring_clips
from tests.support import desk
from tests.support.browser import too_wide
from tests.support.site import eventually

FILES = 200
UNLIKE_THEIR_CELLS = """
    [...document.querySelectorAll(".heat-map td a")].filter(
        (link) => getComputedStyle(link).color !== getComputedStyle(link.closest("td")).color
    ).length
"""

APPOINT = """
from accounts.models import User
from tests.support import factors
factors.appoint(User.objects.get_by_natural_key({name!r}), "owner")
"""
# Three people hear the clips that are lent to them; they differ about some.
CROWD = """
from django.utils import timezone
from accounts.models import User
from datasets.models import Campaign
from tagger.lending import assignments
from tagger.welcome import pledge
campaign = Campaign.objects.get(slug={slug!r})
for number in range(3):
    person = User.objects.create_user(f"{slug}-{{number}}", pledge=pledge.VERSION)
    while lent := assignments.lend(person, campaign, 10, timezone.now(), has_quota=False):
        for each in lent:
            doubts = number == 2 or each.task_id % 10 == 0 and number == 1
            assignments.hand_in(person, each.pk, "no" if doubts else "yes", timezone.now())
"""
# The worker may be counting the same campaign; then it is counted anew.
COUNT = """
import json
from django.utils import timezone
from datasets.models import Campaign
from tagger.figures import counting
print(json.dumps(counting.count(Campaign.objects.get(slug={slug!r}), timezone.now)))
"""
STATUSES = """
import json
from datasets.models import Campaign
tasks = Campaign.objects.get(slug={slug!r}).tasks
print(json.dumps([tasks.filter(status=each).count() for each in ("settled", "open", "disputed", "unusable")]))
"""


@pytest.fixture
def owner(site, visit):
    def begin(name, language):
        page = desk.people(site, visit)(name)
        site.manage("shell", "-c", APPOINT.format(name=name))
        page.context.add_cookies([{"name": "django_language", "value": language, "url": site.url}])
        return page

    return begin


def told(site, code, **values):
    return json.loads(site.manage("shell", "-v", "0", "-c", code.format(**values)).stdout)


@pytest.mark.parametrize(("name", "language", "slug"), [("olga", "en", "dahlia"), ("oriol", "es", "erica")])
def test_a_campaign_from_idea_to_release_without_a_command(site, owner, name, language, slug):
    page = owner(name, language)
    make(page, slug)
    page.goto(f"/campaigns/{slug}/import/")
    bring_clips(page, FILES)
    page.goto(f"/campaigns/{slug}/preview/")
    expect(page.locator("practice-desk h2")).to_contain_text("hey amaryllis")
    assert too_wide(page) == []
    move(page, slug, "open")
    site.manage("shell", "-c", CROWD.format(slug=slug))
    assert eventually(lambda: told(site, STATUSES, slug=slug)[0] >= FILES * 0.7, 120)
    watch(site, page, slug)
    correct(site, page, slug)
    move(page, slug, "closed")
    release(page, slug)


def make(page, slug):
    page.goto("/campaigns/")
    page.locator("a[href='/campaigns/new/']").click()
    for field, text in {
        "slug": slug,
        "title": "Amaryllis",
        "purpose": "So that a lamp listens when it is called.",
        "language": "en",
        "wake_word": "hey amaryllis",
        "run_by": "the lamp makers",
        "guidelines": "- **Yes**: exactly this is said.",
    }.items():
        page.locator(f".owned-form [name={field}]").fill(text)
    page.locator("[name=kind][value=wake-word]").check()
    page.locator("[name=needs_track_record]").uncheck()
    page.locator("[data-act=preview]").click()
    expect(page.locator("guidelines-preview strong")).to_have_text("Yes")
    page.locator(".owned-form > .actions button.primary").click()
    expect(page.locator(".owned-tabs [aria-current=page]")).to_be_visible()
    page.locator("[name=confidence]").fill("0.97")  # what that would mean is shown as it is typed
    expect(page.locator("#consequences h3")).to_be_visible()


def move(page, slug, stage):
    page.goto(f"/campaigns/{slug}/settings/")
    page.locator(f"button[name=stage][value={stage}]").click()
    expect(page.locator(f"button[name=stage][value={stage}]")).to_have_count(0)


def watch(site, page, slug):
    settled, still_open, disputed, _unusable = told(site, STATUSES, slug=slug)
    assert settled + still_open + disputed == FILES
    assert eventually(lambda: told(site, COUNT, slug=slug), 60)
    page.goto(f"/campaigns/{slug}/")
    expect(page.locator("dl.facts dd").first).to_have_text(str(FILES))
    expect(page.locator("dl.facts dd").nth(1)).to_contain_text(str(settled))
    assert too_wide(page) == []
    # The number of a cell that is a link has the colour that the cell needs.
    assert page.locator(".heat-map td a").count() and page.evaluate(UNLIKE_THEIR_CELLS) == 0


def correct(site, page, slug):
    """What the owner hears and finds unusable leaves the queue."""
    page.goto(f"/campaigns/{slug}/clips/?status=settled")
    page.locator(".clip-rows [type=checkbox]").first.check()
    page.locator("details.clip-act > summary").click()
    page.locator("[name=act]").select_option("unusable")
    page.locator("[name=reason]").select_option("sound")
    page.locator("details.clip-act button.primary").click()
    assert eventually(lambda: told(site, STATUSES, slug=slug)[3] == 1, 30)


def release(page, slug):
    page.goto(f"/campaigns/{slug}/releases/")
    shown = page.locator("#preview dd").first
    whole = int(shown.inner_text())
    page.locator("[name=min_confidence]").fill("0.99")
    expect(shown).not_to_have_text(str(whole))
    page.locator("[name=min_confidence]").fill("0")
    expect(page.locator("#preview dd").first).to_have_text(str(whole))
    page.locator("[name=slug]").fill(f"{slug}-1")
    page.locator("form[data-part=release] button.primary").click()

    def is_made():
        page.goto(f"/campaigns/{slug}/releases/")
        return page.locator("article h3", has_text=f"{slug}-1").count() == 1

    assert eventually(is_made, 90)
