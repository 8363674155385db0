"""What is owed to webhooks: written in the transaction in which it happens, so that it is neither lost nor
sent of what did not happen."""

from collections.abc import Iterable
from datetime import datetime

from celery import current_app
from django.db import transaction

from datasets.models import Campaign, Delivery, Webhook

from . import messages, places
from .messages import Value


def owe(event: Webhook.Event, campaign: Campaign, now: datetime, **said: Value) -> None:
    """To all of the campaign's webhooks that want such messages.

    To be called in the act's transaction, and before it records the act: webhooks are locked before that.
    """
    if not places.are_on():
        return
    wanted = Webhook.objects.filter(campaign=campaign, off_at=None, events__contains=[event])
    # One that is ended at this moment would take the act with it.
    owe_to(wanted.select_for_update(no_key=True), event, campaign, now, **said)


def owe_to(
    hooks: Iterable[Webhook], event: str, campaign: Campaign, now: datetime, **said: Value
) -> list[Delivery]:
    body = messages.body(event, campaign.slug, now, said)
    owed = [
        Delivery(webhook=hook, event=event, body=body, happened_at=now, next_try_at=now) for hook in hooks
    ]
    if owed:
        Delivery.objects.bulk_create(owed)
        ask()
    return owed


def ask() -> None:
    """After the commit. If the broker cannot be reached, beat asks later."""
    transaction.on_commit(lambda: current_app.send_task("datasets.webhooks.tasks.deliver"), robust=True)
