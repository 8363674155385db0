"""What ties volunteers to the work: counts that are right and cheap, and nobody named who did not ask."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import redis
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from datasets.models import Annotation, Task
from datasets.releases import frozen
from tagger import tasks
from tagger.models import Community, Counted
from tagger.privacy import withdrawal
from tagger.progress import belonging, community, days
from tagger.welcome import pledge
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def give(juniper, shelf):
    """Stores so many votes of one person at one time, each on a clip of its own."""

    def some(person, number, at=NOW, campaign=juniper):
        fresh = shelf(campaign, number)
        Annotation.objects.bulk_create(
            Annotation(task=task, annotator=person, plain_answer="yes", created_at=at) for task in fresh
        )
        return fresh

    return some


def settle(some, at=NOW):
    pks = [task.pk for task in some]
    Task.objects.filter(pk__in=pks).update(
        status="settled", plain_answer="yes", settled_at=at, annotation_count=2, confidence=0.9
    )


def ticking(at, took=0):
    """A clock that shows this time, and `took` seconds more at each look."""
    looks = count()
    return lambda: at + next(looks) * timedelta(seconds=took)


@pytest.fixture
def here(client, bea):
    client.force_login(bea)
    return client


def drawn(client, page, **options):
    return " ".join(client.get(page, **options).content.decode().split())


# --- all of us ----------------------------------------------------------------------------------


def test_what_all_reached_is_counted_over_every_campaign(juniper, sentences, shelf, give, bea, carl):
    settle(give(bea, 3), NOW)
    settle(shelf(juniper, 2), NOW - DAY)
    settle(shelf(juniper, 4), NOW - 7 * DAY)
    Task.objects.filter(pk__in=[task.pk for task in shelf(sentences, 5)]).update(status="disputed")
    give(carl, 1, NOW - 7 * DAY)
    juniper.is_open = False
    juniper.save()
    assert community.measure(ticking(NOW))
    found = community.figures(NOW)
    assert (found.settled, found.settled_today, found.settled_this_week) == (9, 3, 5)
    assert (found.seconds_settled, found.answers, found.volunteers_this_week) == (9.0, 18, 1)
    counted = {row.campaign_id: (row.clips, row.settled, row.disputed) for row in Counted.objects.all()}
    assert counted == {juniper.pk: (10, 9, 0), sentences.pk: (5, 0, 5)}


def test_releases_are_counted(juniper, shelf):
    settle(shelf(juniper, 2))
    frozen.freeze("first", [juniper], NOW)
    community.measure(ticking(NOW))
    assert community.figures(NOW).releases == 1


def test_a_count_replaces_the_one_before_it(juniper, shelf):
    settle(shelf(juniper, 2))
    community.measure(ticking(NOW))
    Task.objects.update(status="open")
    shelf(juniper, 1)
    community.measure(ticking(NOW + DAY))
    assert community.figures(NOW + DAY).settled == 0
    assert Counted.objects.get().clips == 3


def test_the_longer_counting_takes_the_more_seldom_it_is_done(juniper):
    assert community.measure(ticking(NOW, took=10))
    assert not community.measure(ticking(NOW + timedelta(seconds=599)))
    assert community.measure(ticking(NOW + timedelta(seconds=600)))


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_count_side_by_side(juniper, meanwhile):
    assert community.measure(ticking(NOW))
    with transaction.atomic():
        Community.objects.select_for_update().get()
        assert meanwhile(lambda: community.measure(ticking(NOW + DAY))).result(timeout=30) is False
    assert community.measure(ticking(NOW + DAY))


def test_the_worker_counts_by_the_real_clock(juniper):
    before = timezone.now()
    assert tasks.measure_community()
    assert before <= community.figures(timezone.now()).measured_at <= timezone.now()


def test_what_was_settled_on_another_day_is_not_called_todays(juniper, shelf):
    settle(shelf(juniper, 2))
    community.measure(ticking(NOW))
    assert community.figures(NOW).settled_today == 2
    assert community.figures(NOW + DAY).settled_today == 0


def test_a_day_begins_at_the_sites_own_midnight(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    clocks_go_forward = datetime(2026, 3, 29, 12, tzinfo=UTC)
    today, yesterday = days.last(2, clocks_go_forward)
    assert today[0] == datetime(2026, 3, 28, 23, tzinfo=UTC) == yesterday[1]
    assert today[1] - today[0] == timedelta(hours=24)  # as the wall has it
    assert today[1] == datetime(2026, 3, 29, 22, tzinfo=UTC)


# --- pages --------------------------------------------------------------------------------------


def test_pages_say_what_was_reached_and_of_when(client, bea, juniper, shelf):
    some = shelf(juniper, 4)
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
    assert "Volunteers in the last seven days" not in home and "Releases" not in home
    client.force_login(bea)
    page = drawn(client, "/tag/")
    assert "<dt>Clips settled in the last seven days</dt><dd>3</dd>" in page
    assert "3 of 4 clips settled" in page


def test_where_nothing_is_reached_yet_pages_say_so_kindly(here, juniper):
    assert "no vote is counted yet" in drawn(here, "/")
    page = drawn(here, "/tag/")
    assert "Nothing is settled yet." in page and "Its clips are being counted." in page
    community.measure(timezone.now)
    assert "no vote is counted yet" in drawn(here, "/")
    page = drawn(here, "/tag/")
    assert "Nothing is settled yet." in page and "No clips yet." in page


def test_my_votes_are_told_in_all_and_of_today(here, bea, carl, give):
    now = timezone.now()
    give(bea, 2, now)
    give(bea, 3, days.start(now) - timedelta(seconds=1))
    give(carl, 5, now)
    assert belonging.today(bea, now) == 2
    page = drawn(here, "/tag/")
    assert 'You have given <strong class="number">5</strong> votes' in page
    assert 'Of these, <strong class="number">2</strong> today.' in page


def test_votes_are_told_by_campaign_unless_they_are_very_many(here, bea, give, monkeypatch):
    give(bea, 3)
    assert 'you gave <span class="number">3</span> votes' in drawn(here, "/tag/")
    monkeypatch.setattr(belonging, "NEWEST_ANSWERS", 2)
    page = drawn(here, "/tag/")
    assert "you gave" not in page and 'You have given <strong class="number">3</strong> votes' in page


@pytest.mark.parametrize(
    ("page", "queries"), [("/", 3), ("/tag/", 7), ("/my-answers/", 10), ("/volunteers/", 5)]
)
def test_pages_ask_so_many_queries_however_much_is_held(
    page, queries, here, bea, carl, give, juniper, django_assert_num_queries
):
    User.objects.update(on_leaderboard=True)
    for many in (10, 40):
        for person in (bea, carl):
            settle(give(person, many, timezone.now()))
        community.measure(ticking(timezone.now() + many * DAY))
        with django_assert_num_queries(queries):
            here.get(page)


# --- what it led to ------------------------------------------------------------------------------


def test_my_answers_led_to_clips_hours_and_releases(here, bea, carl, juniper, sentences, give):
    mine = give(bea, 4)
    settle(mine[:3])
    settle(give(carl, 2))
    give(bea, 1, campaign=sentences)
    clip = mine[0].clip
    clip.seconds = 100.0
    clip.save()
    frozen.freeze("second", [juniper], NOW)
    Task.objects.filter(annotations__annotator=bea).update(status="open", plain_answer=None)
    frozen.freeze("not-mine", [juniper], NOW + DAY)
    settle(mine[:3])
    found = {each.campaign: each for each in belonging.led_to(bea)}
    here_it = found[juniper]
    assert (here_it.answers, here_it.settled, here_it.percent, here_it.seconds) == (4, 3, 75, 102.0)
    assert here_it.releases == ["second"]
    assert (found[sentences].settled, found[sentences].releases) == (0, [])
    page = drawn(here, "/my-answers/")
    assert "You answered 4 clips. Settled so far: 3 (75 %)." in page
    assert "2 min of labelled speech" in page and "<strong>second</strong>" in page and "not-mine" not in page
    assert "None of the clips you answered here is settled yet" in page


def test_of_very_many_answers_the_newest_are_looked_up_and_it_is_said(here, bea, give, monkeypatch):
    monkeypatch.setattr(belonging, "NEWEST_ANSWERS", 3)
    settle(give(bea, 2, NOW - DAY))
    assert "Based on your last 10,000 answers." not in drawn(here, "/my-answers/")
    give(bea, 2, NOW)
    [found] = belonging.led_to(bea)
    assert (found.answers, found.settled) == (3, 1)
    assert "Based on your last 10,000 answers." in drawn(here, "/my-answers/")


def test_who_answered_nothing_is_told_of_nothing(here):
    page = drawn(here, "/my-answers/")
    assert "Nothing to show yet" in page and "What your answers led to" not in page


# --- a streak, if wanted -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days_ago", "of_last", "in_a_row"),
    [
        ([], 0, 0),
        ([0], 1, 1),
        ([1, 2], 2, 2),  # today is not over
        ([0, 1, 3], 3, 2),
        ([2, 3, 4], 3, 0),
        ([14], 0, 0),
        (range(20), 14, 14),
    ],
)
def test_days_are_counted_back_from_today_or_yesterday(bea, carl, give, days_ago, of_last, in_a_row):
    for ago in days_ago:
        give(bea, 2, NOW - ago * DAY)
    give(carl, 1)
    assert belonging.streak(bea, NOW) == belonging.Streak(of_last, in_a_row)


@mutant(
    "days are counted aloud only for who wants it",
    "tagger/campaigns/views.py",
    kept_by="belonging.streak(request.user, now) if request.user.shows_streak else None",
    broken="belonging.streak(request.user, now)",
)
def test_a_streak_is_told_only_to_who_wants_it(here, bea, give):
    now = timezone.now()
    give(bea, 1, now)
    give(bea, 1, now - DAY)
    assert "of the last 14 days" not in drawn(here, "/tag/")
    here.post(reverse("choose_streak"), {"switch": "on"})
    page = drawn(here, "/tag/")
    assert "You have been here 2 days in a row." in page and "on 2 of the last 14 days" in page
    here.post(reverse("choose_streak"), {"switch": "off"})
    assert "of the last 14 days" not in drawn(here, "/tag/")


def test_a_missed_day_is_not_scolded(here, bea, give):
    User.objects.filter(pk=bea.pk).update(shows_streak=True)
    page = drawn(here, "/tag/")
    assert "Good to see you." in page and "in a row" not in page and "of the last" not in page


# --- the list of volunteers ----------------------------------------------------------------------


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
    """Lists somebody, and has them give ten votes on each of so many days."""

    def one(person, number):
        belonging.list_person(person, True)
        for ago in range(number):
            give(person, 10, timezone.now() - ago * DAY)

    return one


@mutant(
    "nobody is named among the volunteers who did not ask for it",
    "tagger/progress/belonging.py",
    kept_by='"person.on_leaderboard AND person.is_active',
    broken='"person.is_active',
)
def test_nobody_is_listed_who_did_not_ask_for_it(here, list_of, volunteers, wants_to_be_named, give):
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


def test_they_stand_by_days_and_equals_by_the_alphabet(list_of, volunteers, wants_to_be_named):
    for person, number in zip(volunteers, (2, 3, 2, 0, 5), strict=False):
        wants_to_be_named(person, number)
    assert list_of() == [["fay", 5], ["carl", 3], ["bea", 2], ["dora", 2]]


@mutant(
    "the list of volunteers rewards days and not answers",
    "tagger/progress/belonging.py",
    kept_by="        OFFSET %s LIMIT 1\n",
    broken="        OFFSET %s\n",
)
def test_a_day_counts_once_from_ten_answers_on_and_four_weeks_back(bea, give):
    belonging.list_person(bea, True)
    give(bea, 9, NOW)
    give(bea, 10, NOW - DAY)
    give(bea, 45, NOW - 2 * DAY)
    give(bea, 10, NOW - 27 * DAY)
    give(bea, 10, NOW - 28 * DAY)
    assert [(row.pseudonym, row.days) for row in belonging.listed(NOW)] == [("bea", 3)]
    assert belonging.days_of(bea, NOW) == 3


def test_no_number_of_votes_is_shown(here, bea, give, wants_to_be_named):
    wants_to_be_named(bea, 1)
    give(bea, 727, timezone.now())
    page = re.sub(r"<[^>]*>", " ", drawn(here, reverse("leaderboard")))
    assert "727" not in page and "737" not in page


def test_at_most_fifty_are_listed_and_a_daily_lot_chooses_among_equals(juniper, shelf):
    pool = shelf(juniper, 10)
    crowd = [User.objects.create_user(f"person {n:02}", on_leaderboard=True) for n in range(60)]
    Annotation.objects.bulk_create(
        Annotation(task=task, annotator=person, plain_answer="yes", created_at=NOW)
        for person in crowd
        for task in pool
    )
    first, again, next_day = (belonging.listed(at) for at in (NOW, NOW, NOW + DAY))
    assert len(first) == 50 and first == again
    assert {row.pk for row in first} != {row.pk for row in next_day}
    assert [row.pseudonym for row in first] == sorted(row.pseudonym for row in first)


def test_one_press_puts_on_the_list_and_one_takes_off_at_once(here, list_of, bea, give):
    give(bea, 10, timezone.now())
    address = reverse("choose_leaderboard")
    assert "Add me to the list" in drawn(here, reverse("leaderboard"))
    here.post(address, {"switch": "on"})
    assert list_of() == [["bea", 1]]
    assert "Take me off the list" in drawn(here, reverse("leaderboard"))
    here.post(address, {"switch": "off"})
    assert list_of() == []


@pytest.mark.parametrize("nonsense", [{}, {"switch": ""}, {"switch": "perhaps"}, {"on": "on"}])
def test_nonsense_for_a_switch_names_nobody(here, bea, nonsense):
    here.post(reverse("choose_leaderboard"), nonsense)
    here.post(reverse("choose_streak"), nonsense)
    bea.refresh_from_db()
    assert (bea.on_leaderboard, bea.shows_streak) == (False, False)


def test_who_leaves_the_site_or_is_no_volunteer_any_more_is_not_listed(
    list_of, volunteers, wants_to_be_named
):
    _, carl, dora, eli, *_ = volunteers
    for person in (carl, dora, eli):
        wants_to_be_named(person, 1)
    withdrawal.forget_account(carl, True, NOW)
    User.objects.filter(pk=dora.pk).update(roles=[Role.CONTRIBUTOR])
    assert list_of() == [["eli", 1]]
    withdrawal.scrub(withdrawal.Withdrawal.objects.get(), lambda: NOW)
    belonging.list_person(carl, True)  # a request that was under way
    assert not User.objects.get(pk=carl.pk).on_leaderboard
    assert list_of() == [["eli", 1]]


def test_looking_at_the_list_leaves_no_name_in_redis(here, give):
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
        assert client.get(reverse(name)).status_code in (403, 405)
        assert client.post(reverse(name), {"switch": "on"}).status_code == 403


def test_the_download_of_ones_data_tells_both_switches(here, bea):
    belonging.list_person(bea, True)
    sent = b"".join(here.get(reverse("my_data")).streaming_content)
    profile = json.loads(zipfile.ZipFile(io.BytesIO(sent)).read("profile.json"))
    assert (profile["on_leaderboard"], profile["shows_streak"]) == (True, False)
