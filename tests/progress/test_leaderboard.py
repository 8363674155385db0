"""The list of volunteers: days, not votes, and only those who asked to be named."""

import re

import pytest
import redis
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from datasets.models import Annotation
from tagger.privacy import withdrawal
from tagger.progress import leaderboard
from tagger.welcome import pledge
from tests.conftest import NOW
from tests.progress.conftest import DAY, drawn
from tests.support import takeout
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


@pytest.fixture
def list_of(here):
    """[[pseudonym, days], …] as the page shows them to Bea."""

    def rows():
        page = re.sub(r' <span class="soft">\(you\)</span>', "", drawn(here, reverse("leaderboard")))
        found = re.findall(r'<bdi>([^<]*)</bdi></span> <span class="number">(\d+) days?</span>', page)
        return [[name, int(number)] for name, number in found]

    return rows


@pytest.fixture
def wants_to_be_named(give):
    """Lists a person, and has them give ten votes on each of the last `number` days."""

    def one(person, number):
        leaderboard.set_listed(person, True)
        for ago in range(number):
            give(person, 10, timezone.now() - ago * DAY)

    return one


@mutant(
    "the list names only volunteers who asked for it",
    "tagger/progress/leaderboard.py",
    kept_by='"person.on_leaderboard AND person.is_active',
    broken='"person.is_active',
)
def test_only_volunteers_who_asked_for_it_are_listed(here, list_of, volunteers, wants_to_be_named, give):
    carl = volunteers[1]
    for person in volunteers:
        give(person, 30, timezone.now())
    assert list_of() == []
    wants_to_be_named(carl, 2)
    assert list_of() == [["carl", 2]]
    page = drawn(here, reverse("leaderboard"))
    assert [person.pseudonym for person in volunteers if re.search(rf"\b{person.pseudonym}\b", page)] == [
        "carl"
    ]


def test_the_list_is_ordered_by_days_and_equals_by_name(list_of, volunteers, wants_to_be_named):
    for person, number in zip(volunteers, (2, 3, 2, 0, 5), strict=False):
        wants_to_be_named(person, number)
    assert list_of() == [["fay", 5], ["carl", 3], ["bea", 2], ["dora", 2]]


@mutant(
    "the list of volunteers counts days, not answers",
    "tagger/progress/active_days.py",
    kept_by="        OFFSET %s LIMIT 1\n",
    broken="        OFFSET %s\n",
)
def test_a_day_with_ten_answers_or_more_counts_once_for_four_weeks(bea, give):
    leaderboard.set_listed(bea, True)
    give(bea, 9, NOW)
    give(bea, 10, NOW - DAY)
    give(bea, 45, NOW - 2 * DAY)
    give(bea, 10, NOW - 27 * DAY)
    give(bea, 10, NOW - 28 * DAY)
    assert [(row.pseudonym, row.days) for row in leaderboard.volunteers(NOW)] == [("bea", 3)]
    assert leaderboard.days_of(bea, NOW) == 3


def test_no_number_of_votes_is_shown(here, bea, give, wants_to_be_named):
    wants_to_be_named(bea, 1)
    give(bea, 727, timezone.now())
    page = re.sub(r"<[^>]*>", " ", drawn(here, reverse("leaderboard")))
    assert "727" not in page and "737" not in page


def test_at_most_fifty_are_listed_and_a_daily_lot_chooses_among_equals(juniper, add_tasks):
    pool = add_tasks(juniper, 10)
    crowd = [User.objects.create_user(f"person {n:02}", on_leaderboard=True) for n in range(60)]
    Annotation.objects.bulk_create(
        Annotation(task=task, annotator=person, plain_answer="yes", created_at=NOW)
        for person in crowd
        for task in pool
    )
    first, again, next_day = (leaderboard.volunteers(at) for at in (NOW, NOW, NOW + DAY))
    assert len(first) == 50 and first == again
    assert {row.pk for row in first} != {row.pk for row in next_day}
    assert [row.pseudonym for row in first] == sorted(row.pseudonym for row in first)


def test_one_press_adds_to_the_list_and_one_removes_immediately(here, list_of, bea, give):
    give(bea, 10, timezone.now())
    address = reverse("choose_leaderboard")
    assert "Add me to the list" in drawn(here, reverse("leaderboard"))
    here.post(address, {"switch": "on"})
    assert list_of() == [["bea", 1]]
    assert "Take me off the list" in drawn(here, reverse("leaderboard"))
    here.post(address, {"switch": "off"})
    assert list_of() == []


@pytest.mark.parametrize("nonsense", [{}, {"switch": ""}, {"switch": "perhaps"}, {"on": "on"}])
def test_an_invalid_switch_value_means_off(here, bea, nonsense):
    here.post(reverse("choose_leaderboard"), nonsense)
    here.post(reverse("choose_streak"), nonsense)
    bea.refresh_from_db()
    assert (bea.on_leaderboard, bea.shows_streak) == (False, False)


def test_people_who_left_or_are_no_volunteers_any_more_are_not_listed(list_of, volunteers, wants_to_be_named):
    _, carl, dora, eli, *_ = volunteers
    for person in (carl, dora, eli):
        wants_to_be_named(person, 1)
    withdrawal.forget_account(carl, True, NOW)
    User.objects.filter(pk=dora.pk).update(roles=[Role.CONTRIBUTOR])
    assert list_of() == [["eli", 1]]
    withdrawal.scrub(withdrawal.Withdrawal.objects.get(), lambda: NOW)
    leaderboard.set_listed(carl, True)  # a request that was running
    assert not User.objects.get(pk=carl.pk).on_leaderboard
    assert list_of() == [["eli", 1]]


def test_showing_the_list_leaves_no_name_in_redis_or_a_cache(here, give):
    name = "Zoë-Канарейка"
    zoe = User.objects.create_user(name, pledge=pledge.VERSION, on_leaderboard=True)
    give(zoe, 10, timezone.now())
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        before = set(broker.keys())
        assert name in drawn(here, reverse("leaderboard"))
        assert set(broker.keys()) == before
    assert here.get(reverse("leaderboard"))["Cache-Control"] == "no-store"


def test_the_list_is_for_volunteers_who_are_logged_in(client, sam):
    address = reverse("leaderboard")
    assert client.get(address).status_code == 302
    client.force_login(sam)
    assert client.get(address).status_code == 403
    for name in ("choose_leaderboard", "choose_streak"):
        assert client.get(reverse(name), follow=True).status_code == 403
        assert client.post(reverse(name), {"switch": "on"}).status_code == 403


def test_the_personal_data_archive_contains_both_switches(here, bea):
    leaderboard.set_listed(bea, True)
    profile = takeout.profile_of(bea)
    assert (profile["on_leaderboard"], profile["shows_streak"]) == (True, False)
