"""An ordinary evening is not hindered: thirty people in one room sign up, promise, tag and report."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from datasets.models import Annotation, Task
from tagger.models import Report
from tagger.welcome import pledge

ROOM = "203.0.113.7"  # the one address of all of them
PEOPLE, SETS, CLIPS_OF_A_SET, REPORTS = 30, 30, 10, 5
STAY = 4  # of them, without --thorough: how much one may tag is counted for each account alone
JSON = "application/json"


@pytest.fixture
def campaign(juniper, add_tasks):
    """Every clip is for everyone in the room, and enough are left when reported ones are hidden."""
    juniper.min_annotations = juniper.max_annotations = PEOPLE
    juniper.save()
    add_tasks(juniper, SETS * CLIPS_OF_A_SET + PEOPLE * REPORTS)
    return juniper


@pytest.mark.thorough
def test_thirty_people_in_one_room_tag_for_an_evening(campaign, clock, is_thorough):
    """All tag the first set and report a clip; with --thorough all stay, otherwise four of them."""
    stay = PEOPLE if is_thorough else STAY
    cache.clear()
    room = [signed_up(f"guest {number}") for number in range(PEOPLE)]
    for each in range(SETS):
        for browser in room if each == 0 else room[:stay]:
            tag_a_set(browser, campaign, reports_one=each % 6 == 0)
        clock.pass_by(minutes=2)  # so 300 clips an hour
        Task.objects.filter(dirty_since__isnull=False).update(dirty_since=None)  # as if all were looked at
    left = PEOPLE - stay
    assert Annotation.objects.count() == (stay * SETS + left) * CLIPS_OF_A_SET
    assert Report.objects.count() == stay * REPORTS + left


def signed_up(name):
    """A browser in the room, after the pages of signing up, and the pledge."""
    browser = Client(REMOTE_ADDR=ROOM)
    typed = {"username": name.replace(" ", "-"), "password1": "a long walk by the river"}
    answered = browser.post(reverse("account_signup"), typed)
    assert answered.status_code == 302, f"{name}: {answered.status_code}"
    answered = browser.post(reverse("api_pledge"), {"version": int(pledge.VERSION)}, content_type=JSON)
    assert answered.status_code in (200, 201), answered.content
    return browser


def tag_a_set(browser, campaign, reports_one):
    wanted = CLIPS_OF_A_SET + reports_one
    lent = []
    while len(lent) < wanted:
        count = min(10, wanted - len(lent))
        answered = browser.post(
            f"/api/v1/campaigns/{campaign.slug}/assignments/", {"count": count}, content_type=JSON
        )
        assert answered.status_code == 201, answered.content
        got = answered.json()["assignments"]
        assert got, "nothing was lent"
        lent += got
    if reports_one:
        answered = browser.post(
            f"/api/v1/assignments/{lent.pop()['id']}/report/", {"reason": "private"}, content_type=JSON
        )
        assert answered.status_code == 204, answered.content
    for each in lent:
        answered = browser.post(
            f"/api/v1/assignments/{each['id']}/annotation/", {"answer": "yes"}, content_type=JSON
        )
        assert answered.status_code == 201, answered.content
