"""The Celery app. The broker is only a hint: what it loses, the sweep finds in the database."""

import os
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from django.db import connections, transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagger.settings")


class Task(DjangoTask):
    """A task whose queueing can never fail the request that committed before it, and that keeps connections
    to the database as requests do: checked before they are used again."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:  # who calls a task within a transaction goes on with it
                connection.close_if_unusable_or_obsolete()
        return super().__call__(*args, **kwargs)

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        def queue() -> None:  # no partial: Django logs a failure under the function's own name
            self.delay(*args, **kwargs)

        # robust: a broker that is away is logged; the answer is already stored and stays acknowledged.
        transaction.on_commit(queue, robust=True)


app = Celery("tagger", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf["CELERY_DB_REUSE_MAX"] = 1_000  # tasks over one connection; Celery looks for it by this name alone
app.autodiscover_tasks()
app.autodiscover_tasks(["tagger.privacy"])  # a room with tasks of its own
