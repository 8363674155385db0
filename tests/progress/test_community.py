"""The counts over all campaigns and volunteers, and the pages that show them."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from datasets.models import Task
from datasets.releases import freezing
from tagger import tasks
from tagger.models import Community, Counted
from tagger.progress import community, days
from tests.conftest import NOW
from tests.progress.conftest import DAY, drawn, settle

pytestmark = pytest.mark.django_db


def ticking(at, took=0):
    """A clock that shows `at`, and `took` seconds later at each further look."""
    looks = count()
    return lambda: at + next(looks) * timedelta(seconds=took)


def test_progress_is_counted_over_all_campaigns(juniper, sentences, add_tasks, give, bea, carl):
    settle(give(bea, 3), NOW)
    settle(add_tasks(juniper, 2), NOW - DAY)
    settle(add_tasks(juniper, 4), NOW - 7 * DAY)
    Task.objects.filter(pk__in=[task.pk for task in add_tasks(sentences, 5)]).update(status="disputed")
    give(carl, 1, NOW - 7 * DAY)
    juniper.stage = "closed"
    juniper.save()
    assert community.measure(ticking(NOW))
    found = community.latest(NOW)
    assert (found.settled, found.settled_today, found.settled_this_week) == (9, 3, 5)
    assert (found.seconds_settled, found.answers, found.volunteers_this_week) == (9.0, 18, 1)
    counted = {row.campaign_id: (row.clips, row.settled, row.disputed) for row in Counted.objects.all()}
    assert counted == {juniper.pk: (10, 9, 0), sentences.pk: (5, 0, 5)}


def test_releases_are_counted(juniper, add_tasks):
    settle(add_tasks(juniper, 2))
    freezing.freeze("first", [juniper], NOW)
    community.measure(ticking(NOW))
    assert community.latest(NOW).releases == 1


def test_a_count_replaces_the_one_before_it(juniper, add_tasks):
    settle(add_tasks(juniper, 2))
    community.measure(ticking(NOW))
    Task.objects.update(status="open")
    add_tasks(juniper, 1)
    community.measure(ticking(NOW + DAY))
    assert community.latest(NOW + DAY).settled == 0
    assert Counted.objects.get().clips == 3


def test_the_longer_counting_takes_the_less_often_it_is_done(juniper):
    assert community.measure(ticking(NOW, took=10))
    assert not community.measure(ticking(NOW + timedelta(seconds=599)))
    assert community.measure(ticking(NOW + timedelta(seconds=600)))


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_count_at_the_same_time(juniper, in_background):
    assert community.measure(ticking(NOW))
    with transaction.atomic():
        Community.objects.select_for_update().get()
        assert in_background(lambda: community.measure(ticking(NOW + DAY))).result(timeout=30) is False
    assert community.measure(ticking(NOW + DAY))


def test_the_worker_counts_by_the_real_clock(juniper):
    before = timezone.now()
    assert tasks.measure_community()
    assert before <= community.latest(timezone.now()).measured_at <= timezone.now()


def test_clips_settled_on_another_day_are_not_shown_as_todays(juniper, add_tasks):
    settle(add_tasks(juniper, 2))
    community.measure(ticking(NOW))
    assert community.latest(NOW).settled_today == 2
    assert community.latest(NOW + DAY).settled_today == 0


def test_a_day_begins_at_midnight_in_the_sites_time_zone(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    clocks_go_forward = datetime(2026, 3, 29, 12, tzinfo=UTC)
    today, yesterday = days.last(2, clocks_go_forward)
    assert today[0] == datetime(2026, 3, 28, 23, tzinfo=UTC) == yesterday[1]
    assert today[1] - today[0] == timedelta(hours=24)  # from 00:00 to 00:00 on the clock
    assert today[1] == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_pages_show_the_counts_and_when_they_were_made(client, bea, juniper, add_tasks):
    some = add_tasks(juniper, 4)
    now = timezone.now()
    settle(some[:3], now)
    Task.objects.get(pk=some[0].pk).clip.tasks.update(annotation_count=2)
    User.objects.filter(pk=bea.pk).update(shows_streak=False)
    clip = some[0].clip
    clip.seconds = 2 * 3600
    clip.save()
    community.measure(lambda: now)
    home = drawn(client, "/")
    assert "<dt>Hours of speech settled</dt><dd>2.0</dd>" in home
    assert f"Counted on {now:%-d %B %Y, %H:%M} UTC." in home
    assert "Volunteers in the last seven days" not in home and "<dt>Releases</dt>" not in home
    client.force_login(bea)
    page = drawn(client, "/tag/")
    assert "<dt>Clips settled in the last seven days</dt><dd>3</dd>" in page
    assert "3 of 4 clips settled" in page


def test_pages_say_so_when_nothing_is_settled_yet(here, juniper):
    assert "Be among the first" in drawn(here, "/")
    page = drawn(here, "/tag/")
    assert "Nothing is settled yet." in page and "Its clips are being counted." in page
    community.measure(timezone.now)
    assert "Be among the first" in drawn(here, "/")
    page = drawn(here, "/tag/")
    assert "Nothing is settled yet." in page and "No clips yet." in page


@pytest.mark.parametrize(
    ("page", "queries"), [("/", 4), ("/tag/", 12), ("/my-answers/", 14), ("/volunteers/", 5)]
)
def test_pages_need_the_same_number_of_queries_with_more_data(
    page, queries, here, bea, carl, give, juniper, django_assert_num_queries
):
    User.objects.update(on_leaderboard=True)
    for many in (10, 40):
        for person in (bea, carl):
            settle(give(person, many, timezone.now()))
        community.measure(ticking(timezone.now() + many * DAY))
        with django_assert_num_queries(queries):
            here.get(page)
