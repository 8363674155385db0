"""Limits count exactly, forget within the hour, and name no one; with the real Redis, and without it."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from accounts import limits
from accounts.limits import HOUR, QUARTER, Limit, LimitReached, LimitRefusal
from tests.support.mutants import mutant

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 5, 4, 12, 0, 1, tzinfo=UTC)
THREE = Limit("three of these", 3, QUARTER, LimitRefusal.LOG_INS)
FIVE = Limit("five of those", 5, HOUR, LimitRefusal.LOG_INS)
ADDRESS = "198.51.100.77"


@pytest.fixture
def redis(settings):
    with Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture(params=["in Redis", "without Redis"])
def counting(request):
    if request.param == "without Redis":
        request.getfixturevalue("no_redis")


@pytest.fixture
def no_redis(settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    limits._in_redis.cache_clear()
    yield
    limits._in_redis.cache_clear()


def allowed(times, *uses, now=NOON):
    """How many of so many uses are allowed."""
    return sum(map(bool, [count(now, *uses) for _ in range(times)]))


def count(now, *uses):
    try:
        return limits.count(now, *uses)
    except LimitReached:
        return None


@mutant(
    "while Redis does not answer, guessing stays bounded and no one is locked out",
    "accounts/limits.py",
    kept_by="        full = IN_PROCESS.count(keys, most, seconds)",
    broken="        full = []",
)
def test_as_many_are_counted_as_allowed_each_subject_by_itself(counting):
    assert allowed(7, (THREE, "ann")) == 3
    assert allowed(7, (THREE, "bob")) == 3
    assert allowed(7, (FIVE, "ann")) == 5


def test_either_all_limits_count_a_use_or_none_does(counting):
    assert allowed(9, (THREE, "ann"), (FIVE, "all")) == 3
    assert allowed(9, (THREE, "bob"), (FIVE, "all")) == 2
    assert allowed(9, (THREE, "bob")) == 1


def test_what_is_taken_back_was_never_counted(counting):
    for _ in range(5):
        limits.count(NOON, (THREE, "ann"), (FIVE, "ann")).take_back()
    assert allowed(9, (THREE, "ann"), (FIVE, "ann")) == 3


def test_taking_back_what_expired_is_no_error_and_gives_nothing(redis, counting):
    counted = limits.count(NOON, (THREE, "ann"))
    redis.delete(*counted.keys)
    limits.IN_PROCESS.forget(counted.keys[0])
    counted.take_back()
    counted.take_back()
    assert allowed(9, (THREE, "ann")) == 3


def test_a_limit_begins_anew_when_its_window_ends_and_says_when_that_is(counting):
    late = NOON + timedelta(minutes=14, seconds=29)
    allowed(3, (THREE, "ann"), now=late)
    with pytest.raises(LimitReached) as reached:
        limits.count(late, (THREE, "ann"), (FIVE, "ann"))
    assert (reached.value.seconds, reached.value.parameters) == (30, {"minutes": 1})
    assert allowed(9, (THREE, "ann"), now=late + timedelta(seconds=30)) == 3


def test_of_several_limits_that_are_reached_the_one_that_ends_last_is_named(counting):
    allowed(3, (THREE, "ann"))
    allowed(5, (FIVE, "ann"))
    with pytest.raises(LimitReached) as reached:
        limits.count(NOON, (THREE, "ann"), (FIVE, "ann"))
    assert reached.value.seconds == 3599


def test_a_limit_can_be_forgotten(counting):
    allowed(3, (THREE, "ann"))
    limits.forget(NOON, (THREE, "ann"))
    assert allowed(9, (THREE, "ann")) == 3


def test_parallel_tries_do_not_slip_past_a_limit(counting):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: count(NOON, (THREE, "ann"), (FIVE, "ann")), range(80)))
    assert len([each for each in done if each]) == 3


@mutant(
    "no counter lives for longer than an hour",
    "accounts/limits.py",
    kept_by="        redis.call('EXPIRE', key, ARGV[#KEYS + i])\n",
    broken="",
)
def test_a_counter_is_gone_within_the_hour(redis):
    counted = limits.count(NOON, (THREE, "ann"), (FIVE, "ann"))
    assert [0 < redis.ttl(key) <= 3600 for key in counted.keys] == [True, True]
    every_limit = [each for each in vars(limits).values() if isinstance(each, Limit)]
    assert max(each.within for each in every_limit) <= HOUR


@mutant(
    "no client's address stands in a key or value of Redis",
    "accounts/limits.py",
    kept_by='    return salted_hmac(SALT, subject(*parts), algorithm="sha256").hexdigest()',
    broken="    return subject(*parts)",
)
def test_a_key_is_a_keyed_hash_that_joins_no_two_hours(redis, settings):
    [first] = limits.count(NOON, (FIVE, ADDRESS)).keys
    [later] = limits.count(NOON + HOUR, (FIVE, ADDRESS)).keys
    settings.SECRET_KEY = "another one"
    [elsewhere] = limits.count(NOON, (FIVE, ADDRESS)).keys
    assert len({first, later, elsewhere}) == 3
    assert all(re.fullmatch("limit:[0-9a-f]{64}", key) for key in (first, later, elsewhere))
    assert {redis.get(key) for key in (first, later, elsewhere)} == {b"1"}
    assert limits.hour_hash(ADDRESS, NOON) != limits.hour_hash(ADDRESS, NOON + HOUR)


def test_what_is_counted_without_redis_takes_a_bounded_amount_of_memory(no_redis, monkeypatch):
    monkeypatch.setattr(limits.InProcess, "MOST", 10)
    for number in range(100):
        limits.count(NOON, (THREE, str(number)))
    assert len(limits.IN_PROCESS._used) == 10


def test_the_table_of_limits_in_the_documents_is_that_of_the_code():
    page = (ROOT / "docs/architecture.md").read_text()
    table = page.split("| limit | at most | in |")[1].split("\n\n")[0]
    rows = {tuple(cell.strip() for cell in row.strip("|").split("|")[:3]) for row in table.splitlines()[2:]}
    words = {QUARTER: "15 minutes", HOUR: "an hour"}
    own = [each for each in vars(limits).values() if isinstance(each, Limit)]
    assert rows == {(each.counts, str(each.most), words[each.within]) for each in own}
