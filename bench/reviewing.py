"""Fills the review queue of a running site and asks for its pages in this process; for `bench.review`."""

import json
import time
from collections.abc import Callable
from statistics import median

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench import people
from datasets.models import Clip, Task
from tagger.models import ReviewItem
from tagger.review import blocking
from tests.support import factors

TIMES = 30
NAME = "reviewer of the bench"


def measure(number: int) -> None:
    """Fill the queue up to this many items, and print the figures as one line of JSON."""
    grow(number)
    reviewer = _reviewer()
    client = Client(HTTP_HOST="localhost")
    factors.log_in(client, reviewer)
    calls = {
        "GET /review/": lambda: client.get("/review/"),
        "GET /review/?kind=report&days=1": lambda: client.get("/review/?kind=report&days=1"),
        "GET /review/?blocks=public": lambda: client.get("/review/?blocks=public"),
        "GET /review/?blocks=researchers": lambda: client.get("/review/?blocks=researchers"),
        "counting anew what blocks releases": blocking.recount,
        "GET /review/, the page after the middle": _after_the_middle(client),
        "GET /api/v1/reviews/": lambda: client.get("/api/v1/reviews/"),
        "GET /review/next/, its item, and a decision": lambda: _decide(client),
    }
    found = {name: _asked(call) for name, call in calls.items()}
    figures = {"items": ReviewItem.objects.open().count(), "clips": Clip.objects.count(), "calls": found}
    print(json.dumps(figures))


def grow(number: int) -> None:
    """Add disputes, and for each third clip a report, until so many items are open."""
    missing = number - ReviewItem.objects.open().count()
    people.grow(-(-number // people.CLIPS_EACH), timezone.now())
    table, task = (model._meta.db_table for model in (ReviewItem, Task))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (kind, reason, clip_id, task_id, campaign_id, language, rank, opened_at)"
            " SELECT CASE WHEN id %% 3 = 0 THEN 'report' ELSE 'dispute' END,"
            " CASE WHEN id %% 9 = 0 THEN 'private' WHEN id %% 3 = 0 THEN 'audio' ELSE 'no-agreement' END,"
            " clip_id, CASE WHEN id %% 3 <> 0 THEN id END, campaign_id, 'en',"
            f" CASE WHEN id %% 9 = 0 THEN 0 ELSE 1 END, now() - id * interval '1 second' FROM {task} task"
            f" WHERE NOT EXISTS (SELECT 1 FROM {table} item WHERE item.clip_id = task.clip_id)"
            " ORDER BY id LIMIT %s",
            [missing],
        )
        cursor.execute("VACUUM (ANALYZE)")


def _reviewer():
    found = get_user_model().objects.found_by(people.names.looked_up(NAME)).first()
    if found is None:
        found = get_user_model().objects.create_user(NAME, password=None)
        factors.appoint(found, "reviewer")
    return found


def _asked(call: Callable[[], object]) -> tuple[float, int]:
    """The median of seconds, and the statements of one call."""
    call()
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    with CaptureQueriesContext(connection) as captured:
        call()
    return median(times), len(captured)


def _after_the_middle(client: Client) -> Callable[[], object]:
    items = ReviewItem.objects.open().order_by("rank", "opened_at", "pk")
    middle = items[items.count() // 2]
    return lambda: client.get(f"/review/?after_item={middle.pk}")


def _decide(client: Client) -> None:
    """Decide on the next item, and undo that, so that the queue stays as long as it is."""
    answer = client.get("/review/next/")
    client.get(answer.url)
    item = answer.url.partition("?")[0]
    done = client.post(item + "unusable/", {"reason": "sound"})
    undone = client.post(item + "undo/", {})
    if (done.status_code, undone.status_code) != (302, 302):
        raise AssertionError(f"no decision: {done.status_code}, {undone.status_code}")
