"""The Celery app. The broker is only a hint: what it loses, the sweep finds in the database."""

import os
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from django.db import transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagger.settings")


class Task(DjangoTask):
    """A task whose queueing can never fail the request that committed before it."""

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        def queue() -> None:  # no partial: Django logs a failure under the function's own name
            self.delay(*args, **kwargs)

        # robust: a broker that is away is logged; the answer is already stored and stays acknowledged.
        transaction.on_commit(queue, robust=True)


app = Celery("tagger", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
