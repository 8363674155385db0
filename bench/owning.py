"""Fills a campaign of a running site, counts it, and asks for its owner's pages in this process; for
`bench.owner`."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from bench import people
from datasets.models import Annotation, Campaign, Task
from tagger.explorer import counting as counting_people
from tagger.figures import counting
from tagger.models import CampaignFigures
from tests.support import factors

TIMES = 20
NAME = "owner of the bench"

# All but the first, of which more are copied. Two of three are settled, one of twenty is disputed, one of a
# hundred unusable; over 200 days.
STATES = """
    UPDATE datasets_task SET annotation_count = 3, wanted = 3,
        status = CASE WHEN id % 100 = 0 THEN 'unusable' WHEN id % 20 = 1 THEN 'disputed'
            WHEN id % 3 > 0 THEN 'settled' ELSE 'open' END,
        plain_answer = CASE WHEN id % 100 <> 0 AND id % 20 <> 1 AND id % 3 > 0 THEN
            (ARRAY['yes', 'similar', 'no', 'noise'])[1 + (id * 7919 % 10) / 3] END,
        confidence = 0.5 + (id * 104729 % 5000) / 10000.0,
        settled_at = CASE WHEN id % 100 <> 0 AND id % 20 <> 1 AND id % 3 > 0 THEN
            now() - id * 7919 % 17280000 * interval '1 second' END
    WHERE annotation_count < 3 AND id > (SELECT min(id) FROM datasets_task)
"""
ANSWERS = """
    INSERT INTO datasets_annotation
        (task_id, annotator_id, plain_answer, sealed_answer, created_at, several_speakers)
    SELECT task.id, 3 + (first.annotator_id + more) %% people.last, CASE WHEN (task.id + more) %% 7 > 0 THEN
        coalesce(task.plain_answer, 'no') ELSE 'similar' END, '',
        now() - (task.id * 7919 %% 17280000 + 3600 * more) * interval '1 second', false
    FROM (SELECT greatest(max(id) - 5, 4) AS last FROM accounts_user) people, datasets_task task
    JOIN datasets_annotation first ON first.task_id = task.id
    CROSS JOIN generate_series(1, 2) more
    WHERE task.id > greatest(%s, (SELECT min(id) FROM datasets_task)) ON CONFLICT DO NOTHING
"""


def measure(number: int) -> None:
    """Fill the campaign up to this many tasks, and print the figures as one line of JSON."""
    grow(number)
    campaign, owner = Campaign.objects.get(), _owner()
    Campaign.objects.update(owner=owner)
    counted = _counted(campaign)
    counting_people.count(campaign, timezone.now)
    client = Client(HTTP_HOST="localhost")
    factors.log_in(client, owner)
    figures = {
        "tasks": Task.objects.count(),
        "answers": Annotation.objects.count(),
        "people": User.objects.count(),
        "counting": counted,
        "calls": {address: _asked(client, address) for address in _addresses(campaign.slug)},
    }
    print(json.dumps(figures))


def _addresses(slug: str) -> list[str]:
    middle = Task.objects.order_by("pk")[Task.objects.count() // 2].pk
    clips = f"/campaigns/{slug}/clips/"
    return [
        clips,
        f"{clips}?below={middle}",
        f"{clips}?status=disputed",
        f"{clips}?answer=noise&confidence_from=0.9",
        f"{clips}?seconds_from=80000",
        f"{clips}?contributor={_someone('contributor')}",
        f"{clips}?answered_by={_someone('annotator')}&below={middle}",
        f"{clips}?reported=1",
        f"/api/v1/campaigns/{slug}/clips/",
        f"/campaigns/{slug}/people/",
        f"/campaigns/{slug}/",
        f"/campaigns/{slug}/figures/days.csv",
        f"/api/v1/campaigns/{slug}/figures/",
    ]


def _someone(role: str) -> int:
    """The number of a person in the middle, who contributed a clip or answered one."""
    rows = {
        "contributor": Task.objects.order_by("pk").values_list("clip__contributor", flat=True),
        "annotator": Annotation.objects.order_by("pk").values_list("annotator", flat=True),
    }[role]
    return rows[rows.count() // 2]


def grow(number: int) -> None:
    """Add tasks with three answers each until there are so many."""
    last = getattr(Task.objects.order_by("pk").last(), "pk", 0)
    people.grow(-(-number // people.CLIPS_EACH), timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        # No foreign key checks, as all keys are known.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(STATES)
        cursor.execute(ANSWERS, [last])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _owner() -> User:
    found = get_user_model().objects.found_by(people.names.looked_up(NAME)).first()
    if found is None:
        found = get_user_model().objects.create_user(NAME, password=None)
        factors.appoint(found, "owner")
    return found


def _counted(campaign: Campaign) -> dict[str, float]:
    CampaignFigures.objects.all().delete()
    before, began = _memory(), time.perf_counter()
    counting.count(campaign, timezone.now)
    seconds, memory = time.perf_counter() - began, _memory() - before
    CampaignFigures.objects.update(measured_at=None)
    with CaptureQueriesContext(connection) as captured:
        counting.count(campaign, timezone.now)
    return {"seconds": seconds, "memory": memory, "statements": len(captured)}


def _memory() -> float:
    """The most that this process has had, in MB."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1e3 if found else 0.0


def _asked(client: Client, address: str) -> tuple[float, float, int]:
    def call() -> None:
        answer = client.get(address)
        if answer.status_code != 200:
            raise AssertionError(f"{address}: {answer.status_code}")

    return timed(call)


def timed(call: Callable[[], None]) -> tuple[float, float, int]:
    """The median of seconds and of this process's processor seconds, and the statements of one call."""
    call()
    times, processor = [], []
    for _ in range(TIMES):
        began, used = time.perf_counter(), time.process_time()
        call()
        times.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    with CaptureQueriesContext(connection) as captured:
        call()
    return median(times), median(processor), len(captured)
