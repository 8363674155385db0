"""The Celery app. The broker is only a hint: the sweep finds in the database what it loses."""

import os
from typing import Any

from celery import Celery, bootsteps
from celery.contrib.django.task import DjangoTask
from django.db import connections, transaction

from . import site_check

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagger.settings")


class RobustTask(DjangoTask):
    """Queueing it after a commit never fails the request, and it reuses database connections as requests do:
    they are checked first."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:  # a caller inside a transaction keeps it
                connection.close_if_unusable_or_obsolete()
        return super().__call__(*args, **kwargs)

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        def queue() -> None:  # no partial: Django logs a failure under the function's name
            self.delay(*args, **kwargs)

        # robust: an unreachable broker is logged; the answer is already stored and stays acknowledged.
        transaction.on_commit(queue, robust=True)


class SiteCheck(bootsteps.StartStopStep):
    """A worker without this site's keys and vault does not start."""

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        site_check.run()


app = Celery("tagger", task_cls=RobustTask)
app.steps["worker"].add(SiteCheck)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf["CELERY_DB_REUSE_MAX"] = 1_000  # tasks over one connection; Celery looks for exactly this name
app.autodiscover_tasks()
app.autodiscover_tasks(  # rooms with their own tasks
    [
        *("tagger.privacy", "tagger.review", "tagger.campaigns"),
        *("tagger.imports", "tagger.explorer", "datasets.imports"),
        *("tagger.operators", "tagger.webhooks", "datasets.webhooks"),
        "datasets.access",
    ]
)
