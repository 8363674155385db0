"""Fills a campaign of a running site, refits its crowd, and settles again what that changed; for
`bench.refits`."""

import json
import resource
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.utils import timezone

from bench import owning
from datasets.models import Annotation, Campaign, Task
from tagger.learning import labellers, recomputing, refit
from tagger.models import Crowd

SETTLED_AGAIN, MARKED = 2_000, 50_000


def measure(number: int) -> None:
    """Fill the campaign up to this many tasks, and print the figures as one line of JSON."""
    owning.grow(number)
    campaign = Campaign.objects.get()
    crowd = campaign.kind, campaign.language
    Task.objects.update(stale_since=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) datasets_task")
    tasks, answers = Task.objects.count(), Annotation.objects.count()
    steps: dict[str, tuple[float, int]] = {}

    def timed(name: str, number: int, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        found = call()
        steps[name] = time.perf_counter() - began, number
        return found

    Crowd.objects.all().delete()
    timed("learn a new crowd from {:,} answers", answers, lambda: refit.refit(*crowd, timezone.now()))
    timed("settle {:,} tasks again", SETTLED_AGAIN, lambda: _settle(SETTLED_AGAIN))
    Crowd.objects.update(recount_below=None)
    learned = timed("learn it from {:,} answers", answers, lambda: labellers.learn(*crowd, {}))
    changed = timed("compare {:,} tasks", tasks, lambda: list(learned.changed))
    some = changed[:MARKED]
    timed("mark {:,} tasks", len(some), lambda: recomputing.mark(some, timezone.now()))
    timed("settle {:,} marked tasks again", SETTLED_AGAIN, lambda: _settle(SETTLED_AGAIN))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tasks": tasks, "answers": answers, "steps": steps, "memory": memory}))


def _settle(number: int) -> None:
    done = 0
    while done < number and (some := recomputing.some(timezone.now())):
        done += some
