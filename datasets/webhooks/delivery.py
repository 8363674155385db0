"""Send what is owed, and try again what failed. May be killed at any moment: then it is sent once more.

A message is taken for a minute before it is sent. No transaction is open while another server answers.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.db import transaction
from django.db.models import F

from accounts.alone import alone
from accounts.ciphers import KeyLost
from datasets.models import Delivery, Webhook

from . import keeping, posting, sealing, signing
from .posting import Answer

# What the standard advises, after the first attempt: the last one is three days after it.
DELAYS = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
MOST_PATIENCE = timedelta(hours=24)  # with a receiver that says when to come again
OFF_AFTER = timedelta(days=3)  # without any success
TAKEN_FOR = timedelta(minutes=1)  # longer than an attempt takes
KEPT = timedelta(days=30)
AT_ONCE = 16
DELIVERY_LOCK = 7_308  # see accounts.models for the other advisory locks
WhyOff = Webhook.WhyOff
Clock = Callable[[], datetime]
dice = random.SystemRandom()


@dataclass(frozen=True)
class _Letter:
    delivery: Delivery
    url: str
    headers: dict[str, str]


def deliver(clock: Clock, most: int = 200) -> int:
    """Send what is due, if no other worker does; returns how many attempts were made."""
    tried = 0
    with alone(DELIVERY_LOCK) as is_mine:
        while is_mine and tried < most and (taken := _take(clock())):
            tried += len(taken)
            letters = [letter for each in taken if (letter := _letter(each, clock()))]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                sent = {pool.submit(_post, letter): letter.delivery for letter in letters}
                for done in as_completed(sent):
                    _store(sent[done], done.result(), clock())
    return tried


def forget_old(now: datetime) -> int:
    """Messages that are a month old, whatever became of them."""
    return Delivery.objects.filter(happened_at__lt=now - KEPT).delete()[0]


@transaction.atomic
def _take(now: datetime) -> list[Delivery]:
    """Some of what is due. Who is killed with it leaves it to the next minute."""
    due = Delivery.objects.select_for_update(of=("self",), skip_locked=True).filter(next_try_at__lte=now)
    read = due.select_related("webhook__campaign", "webhook__maker__data_key").order_by("next_try_at")
    taken = list(read[:AT_ONCE])
    Delivery.objects.filter(pk__in=[each.pk for each in taken]).update(
        next_try_at=now + TAKEN_FOR, attempts=F("attempts") + 1, tried_at=now
    )
    for each in taken:
        each.attempts += 1
    return taken


def _letter(delivery: Delivery, now: datetime) -> _Letter | None:
    """None if nothing is to be sent to this webhook any more; then it is switched off."""
    hook = delivery.webhook
    if not keeping.is_makers_still(hook):
        keeping.switch_off(hook, WhyOff.MAKER, None, now)
        return None
    try:
        content = sealing.unseal(hook)
    except KeyLost:
        keeping.switch_off(hook, WhyOff.UNREADABLE, None, now)
        return None
    return _Letter(
        delivery, content.url, signing.headers(delivery.pk, delivery.body, now, content.secrets(now))
    )


def _post(letter: _Letter) -> Answer:
    return posting.post(letter.url, letter.headers, letter.delivery.body)


@transaction.atomic
def _store(delivery: Delivery, answer: Answer, now: datetime) -> None:
    """What came of an attempt. The webhook may have been ended meanwhile."""
    hook = Webhook.objects.select_for_update(no_key=True).filter(pk=delivery.webhook_id).first()
    if hook is None:
        return
    delivery.status, delivery.fault = answer.status, answer.fault
    delivery.first_line, delivery.milliseconds = answer.first_line, answer.milliseconds
    delivery.arrived_at = now if answer.is_success else None
    delivery.next_try_at = None if answer.is_success or hook.off_at else _next_try(delivery, answer, now)
    fields = ("status", "fault", "first_line", "milliseconds", "arrived_at", "next_try_at")
    Delivery.objects.filter(pk=delivery.pk).update(**{name: getattr(delivery, name) for name in fields})
    failing_since = None if answer.is_success else hook.failing_since or now
    Webhook.objects.filter(pk=hook.pk).update(failing_since=failing_since)
    if answer.status == 410:
        keeping.switch_off(hook, WhyOff.GONE, None, now)
    elif failing_since and now - failing_since >= OFF_AFTER:
        keeping.switch_off(hook, WhyOff.FAILING, None, now)


def _next_try(delivery: Delivery, answer: Answer, now: datetime) -> datetime | None:
    """A tenth later at most, by chance, so that what failed together does not come again together."""
    if delivery.attempts > len(DELAYS):
        return None
    delay = DELAYS[delivery.attempts - 1] * (1 + dice.random() / 10)
    return now + max(delay, _patience(answer.retry_after, now))


def _patience(retry_after: str, now: datetime) -> timedelta:
    """What the header Retry-After asks for: seconds, or a date.

    >>> _patience("120", datetime(2026, 5, 4, tzinfo=UTC))
    datetime.timedelta(seconds=120)
    """
    if retry_after.isascii() and retry_after.isdecimal():
        return min(timedelta(seconds=min(int(retry_after[:9]), 10**6)), MOST_PATIENCE)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return timedelta(0)
    return min(max((until if until.tzinfo else until.replace(tzinfo=UTC)) - now, timedelta(0)), MOST_PATIENCE)
