"""Ask a worker for what is owed in the database, without importing the engine into a web process."""

from django.db import transaction

from tagger.celery import app


def ask(task: str) -> None:
    """After the commit, for a task in `tasks.py`. If the broker cannot be reached, beat asks later."""
    transaction.on_commit(lambda: app.send_task(f"tagger.campaigns.tasks.{task}"), robust=True)
