"""An ordinary evening is not hindered: thirty people in one room sign up, promise, tag and report."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db.models import F
from django.test import Client
from django.urls import reverse

from accounts.models import User
from datasets.models import Annotation, Task
from tagger.models import Assignment, Report
from tagger.welcome import pledge

ROOM = "203.0.113.7"  # the one address of all of them
PEOPLE, SETS, CLIPS_OF_A_SET, REPORTS = 30, 30, 10, 5
TIME_FOR_A_SET = timedelta(minutes=2)  # so 300 clips an hour
JSON = "application/json"


@pytest.fixture
def campaign(juniper, add_tasks):
    """Every clip is for everyone in the room, and enough are left when reported ones are hidden."""
    juniper.min_annotations = juniper.max_annotations = PEOPLE
    juniper.save()
    add_tasks(juniper, SETS * CLIPS_OF_A_SET + PEOPLE * REPORTS)
    return juniper


@pytest.mark.thorough
def test_thirty_people_in_one_room_tag_for_an_evening(campaign):
    cache.clear()
    room = [signed_up(f"guest {number}") for number in range(PEOPLE)]
    for each in range(SETS):
        for browser in room:
            tag_a_set(browser, campaign, reports_one=each % 6 == 5)
        pass_time()
    assert Annotation.objects.count() == PEOPLE * SETS * CLIPS_OF_A_SET
    assert Report.objects.count() == PEOPLE * REPORTS


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


def pass_time():
    """The time that a set takes: everything that was stored so far is that much older."""
    earlier = {"lent_at": F("lent_at") - TIME_FOR_A_SET, "expires_at": F("expires_at") - TIME_FOR_A_SET}
    Assignment.objects.update(**earlier)
    Annotation.objects.update(created_at=F("created_at") - TIME_FOR_A_SET)
    Report.objects.update(at=F("at") - TIME_FOR_A_SET)
    User.objects.update(date_joined=F("date_joined") - TIME_FOR_A_SET)
    Task.objects.filter(dirty_since__isnull=False).update(dirty_since=None)
