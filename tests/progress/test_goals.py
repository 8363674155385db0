"""A daily goal, for volunteers who want one: a wave that fills with each vote."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tagger.progress import goals
from tests.progress.conftest import drawn
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


def choose(here, votes):
    assert here.post(reverse("choose_goal"), {"goal": votes}).url == "/tag/"


def test_each_vote_of_today_fills_the_wave_until_the_goal_is_reached(here, bea, give):
    choose(here, "10")
    give(bea, 4, timezone.now())
    page = drawn(here, "/tag/")
    assert 'of your <strong class="number">10</strong> answers' in page and "You did it" not in page
    assert page.count("<rect") == 50 and page.count('class="is-done"') == 20
    give(bea, 8, timezone.now())
    page = drawn(here, "/tag/")
    assert '<strong class="number">12</strong> of your' in page and "You did it. Thank you!" in page


@mutant(
    "no daily goal is chosen in advance",
    "templates/tagger/campaigns/_goal.html",
    kept_by='value="{{ votes }}"{% if user.daily_goal == votes %} checked{% endif %}',
    broken='value="{{ votes }}"{% if user.daily_goal == votes or votes == 25 %} checked{% endif %}',
)
def test_nothing_is_chosen_before_the_volunteer_chose(here, bea):
    page = drawn(here, "/tag/")
    assert len(re.findall('name="goal"', page)) == 4
    assert "checked" not in page and "of your" not in page
    choose(here, "0")
    assert re.findall(r'value="(\d+)" checked', drawn(here, "/tag/")) == ["0"]
    choose(here, "50")
    assert re.findall(r'value="(\d+)" checked', drawn(here, "/tag/")) == ["50"]


@pytest.mark.parametrize("votes", ["", "11", "-1", "1e1", "٢٥", "10\x00"])
def test_only_a_goal_that_is_offered_is_stored(here, bea, votes):
    choose(here, "25")
    goals.choose(bea, votes)
    assert User.objects.get(pk=bea.pk).daily_goal == 25


def test_the_pause_on_the_desk_shows_the_goal(here, juniper, share):
    share(juniper)
    assert 'data-part="goal"' not in drawn(here, "/tag/juniper/")
    choose(here, "25")
    assert drawn(here, "/tag/juniper/").count("<rect") >= 25


def test_each_vote_fills_as_many_bars_as_any_other():
    assert all(goals.BARS % votes == 0 for votes in goals.OFFERED)
    assert len(goals.shape()) == goals.BARS and all(0 < height <= 100 for height in goals.shape())
