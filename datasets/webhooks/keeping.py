"""An owner makes a webhook, changes it, replaces its secret, tests it, switches it off and ends it.

The only writer of Webhook besides the counts. Each act is an event of the audit record, which forgets
nothing: so of the address it has only the digest.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts import audit, consent, journal
from accounts.models import User
from datasets import owners
from datasets.models import Campaign, Delivery, Webhook

from . import messages, outbox, places, sealing, signing
from .refusals import WebhookRefusal, WebhookRefused
from .sealing import Sealed

MOST = 5  # of one campaign
OLD_SECRET_SIGNS = timedelta(hours=24)
WhyOff = Webhook.WhyOff


@transaction.atomic
def make(campaign: Campaign, url: str, events: Iterable[str], by: User, now: datetime) -> Webhook:
    """Its secret is in `sealing.unseal`. Raises WebhookRefused."""
    places.allowed_place(url)
    wanted = _in_order(events)
    consent.lock(by)
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    if campaign.webhooks.count() >= MOST:
        raise WebhookRefused(WebhookRefusal.TOO_MANY, most=MOST)
    hook = Webhook(campaign=campaign, maker=by, events=wanted, made_at=now, counted_until=now)
    sealing.seal(hook, Sealed(url, signing.new_secret()))
    hook.save(force_insert=True)
    _record("made", hook, by, now, events=wanted, address=_digest(url))
    return hook


@transaction.atomic
def change(hook: Webhook, url: str, events: Iterable[str], by: User, now: datetime) -> None:
    """Raises WebhookRefused, and changes nothing."""
    places.allowed_place(url)
    wanted = _in_order(events)
    hook, content = _open(hook, by)
    changed: dict[str, Any] = {}
    if wanted != hook.events:
        changed["events"] = [hook.events, wanted]
    if url != content.url:
        changed["address"] = [_digest(content.url), _digest(url)]
        sealing.seal(hook, Sealed(url, content.secret, content.old_secret, content.old_until))
    if changed:
        hook.events = wanted
        hook.save(update_fields=["events", "sealed"])
        _record("changed", hook, by, now, **changed)


@transaction.atomic
def renew_secret(hook: Webhook, by: User, now: datetime) -> str:
    """The new one. The one before signs, too, for a day. Raises WebhookRefused."""
    hook, content = _open(hook, by)
    renewed = content.with_new_secret(now + OLD_SECRET_SIGNS)
    sealing.seal(hook, renewed)
    hook.save(update_fields=["sealed"])
    _record("new-secret", hook, by, now)
    return renewed.secret


def send_test(hook: Webhook, now: datetime) -> Delivery:
    """Also if it is off: its owner finds out whether it works again. Raises WebhookRefused."""
    if not places.are_on():
        raise WebhookRefused(WebhookRefusal.OFF)
    with transaction.atomic():
        [owed] = outbox.owe_to([hook], messages.TEST, hook.campaign, now, webhook=str(hook.pk))
    return owed


@transaction.atomic
def send_again(delivery: Delivery, now: datetime) -> None:
    """The same message under the same name, with all of its attempts."""
    if not places.are_on():
        raise WebhookRefused(WebhookRefusal.OFF)
    Delivery.objects.filter(pk=delivery.pk).update(next_try_at=now, attempts=0, arrived_at=None)
    outbox.ask()


@transaction.atomic
def switch_on(hook: Webhook, by: User, now: datetime) -> None:
    """What happened meanwhile is not sent. Raises WebhookRefused."""
    hook, content = _open(hook, by)
    places.allowed_place(content.url)
    if hook.off_at:
        hook.off_at, hook.why_off, hook.failing_since, hook.counted_until = None, "", None, now
        hook.save(update_fields=["off_at", "why_off", "failing_since", "counted_until"])
        _record("on", hook, by, now)


@transaction.atomic
def switch_off(hook: Webhook, why: WhyOff, by: User | None, now: datetime) -> None:
    """Nothing more is sent, also of what is owed. `by` is None if the site does it."""
    hook = Webhook.objects.select_for_update().select_related("campaign").get(pk=hook.pk)
    hook.deliveries.filter(next_try_at__isnull=False).update(next_try_at=None)
    if hook.off_at is None:
        hook.off_at, hook.why_off = now, why
        hook.save(update_fields=["off_at", "why_off"])
        _record("off", hook, by, now, why=why)


@transaction.atomic
def end(hook: Webhook, by: User, now: datetime) -> None:
    """Delete it with its messages, also in every backup that is restored."""
    journal.append("webhook", now, webhook=str(hook.pk))
    locked = Webhook.objects.select_for_update(of=("self",)).select_related("campaign")
    for found in locked.filter(pk=hook.pk):  # none if it was ended meanwhile
        found.delete()
        _record("ended", hook, by, now)


def end_all_of(maker: User) -> int:
    """Of a person who leaves; returns how many."""
    list(maker.webhooks.select_for_update().values_list("pk"))  # or a message might be owed meanwhile
    return int(maker.webhooks.all().delete()[1].get("datasets.Webhook", 0))


def end_again(webhook: str) -> int:
    """Of one that a restored backup brought back."""
    return int(Webhook.objects.filter(pk=webhook).delete()[1].get("datasets.Webhook", 0))


def _open(hook: Webhook, by: User) -> tuple[Webhook, Sealed]:
    """Lock it. Only its maker's key opens it."""
    if hook.maker_id != by.pk:
        raise WebhookRefused(WebhookRefusal.NOT_YOURS)
    consent.lock(by)
    locked = Webhook.objects.select_for_update(of=("self",)).select_related("campaign", "maker")
    found = locked.get(pk=hook.pk)
    return found, sealing.unseal(found)


def is_makers_still(hook: Webhook) -> bool:
    """Whether whoever made it still runs its campaign. What they do not may not be told on their behalf."""
    return owners.runs(hook.maker, hook.campaign)


def _in_order(events: Iterable[str]) -> list[str]:
    wanted = set(events)
    found = [each.value for each in Webhook.Event if each in wanted]
    if not found:
        raise WebhookRefused(WebhookRefusal.NO_EVENT)
    return found


def _record(did: str, hook: Webhook, by: User | None, now: datetime, **details: Any) -> None:
    about = f"campaign {hook.campaign.slug}"
    said = {"webhook": str(hook.pk), "did": did} | details
    audit.record(audit.Act.CHANGED_WEBHOOK, about, by, now, said)


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
