"""A reviewer's acts by the names that pages and programs send, with what was sent for them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from tagger.desk import examples
from tagger.models import Decision, ReviewItem

from . import acts, private_sound, queue, undo
from .refusals import ReviewRefusal, ReviewRefused

Sent = dict[str, Any]


def do(name: str, item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> Decision | None:
    """Carry out the act of this name; None if the item was only put back, or a decision undone.

    `sent` may have `answer` or `transcript`, `number`, `reason`, `parts` and `note`, and with an answer
    `is_example` and `example_note`. Raises ReviewRefused, SilencingRefused, ExampleRefused, AnswerRefused and
    BadTranscript.
    """
    return ACTS[name](item, reviewer, sent, now)


@transaction.atomic
def _accept(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> Decision:
    given = [sent[name] for name in ("answer", "transcript") if name in sent]
    if len(given) != 1:
        raise ReviewRefused(ReviewRefusal.NO_ANSWER)
    decision = acts.accept(item, reviewer, given[0], now, sent.get("note", ""))
    if sent.get("is_example") and item.task:
        examples.choose(item.task, sent.get("example_note", ""))
    return decision


def _ask_more(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> Decision:
    return acts.ask_more(item, reviewer, sent.get("number") or 0, now, sent.get("note", ""))


def _unusable(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> Decision:
    return acts.call_unusable(item, reviewer, sent.get("reason", ""), now, sent.get("note", ""))


def _return(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> Decision:
    return acts.put_back_in_queue(item, reviewer, now, sent.get("note", ""))


def _dismiss(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> Decision:
    return acts.dismiss(item, reviewer, now, sent.get("note", ""))


def _silence(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> Decision:
    return private_sound.silence(item, reviewer, sent.get("parts", []), now)


def _destroy(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> Decision:
    return private_sound.destroy(item, reviewer, now)


def _clear(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> Decision:
    return acts.clear(item, reviewer, now, sent.get("note", ""))


def _put_back(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> None:
    queue.put_back([item.pk], reviewer)


def _undo(item: ReviewItem, reviewer: User, sent: Sent, now: datetime) -> None:
    decision = item.decisions.filter(reviewer=reviewer).order_by("-pk").first()
    if decision is None:
        raise ReviewRefused(ReviewRefusal.NOT_AMONG_LAST, number=undo.UNDOABLE)
    undo.undo(decision, reviewer, now)


ACTS: dict[str, Callable[[ReviewItem, User, Sent, datetime], Decision | None]] = {
    "accept": _accept,
    "ask-more": _ask_more,
    "unusable": _unusable,
    "return": _return,
    "dismiss": _dismiss,
    "silence": _silence,
    "destroy": _destroy,
    "clear": _clear,
    "put-back": _put_back,
    "undo": _undo,
}
