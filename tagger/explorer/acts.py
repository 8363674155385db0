"""What an owner does to one clip of a campaign. Each act locks the task, and reviewers can undo decisions.

An owner decides nothing about a clip that a reviewer has to hear first: it was reported, or something private
was found in it. The clip's tasks in other campaigns stay as they are.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import Purpose, User
from datasets.models import Example, Task
from tagger.desk import examples
from tagger.models import ClipJob, Decision, ReviewItem
from tagger.review import acts

from .refusals import ClipRefusal, ClipRefused

Options = dict[str, Any]
PRIORITIES = (-1, 0, 1)  # first, as usual, last


def do(act: str, task: Task, owner: User, options: Options, now: datetime) -> None:
    """Carry out the act of this name. Raises ClipRefused, ReviewRefused and ExampleRefused."""
    with transaction.atomic():
        ACTS[ClipJob.Act(act)](task, owner, options, now)


def _set_priority(task: Task, owner: User, options: Options, now: datetime) -> None:
    locked = Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    locked.priority = options["priority"]
    locked.save(update_fields=["priority"])


def _call_unusable(task: Task, owner: User, options: Options, now: datetime) -> None:
    item, locked = _item(task, now)
    if locked.status == Task.Status.UNUSABLE:
        raise ClipRefused(ClipRefusal.UNUSABLE_ALREADY)
    item, clip, tasks = acts.lock(item, owner, now)
    own = next(each for each in tasks if each.pk == task.pk)
    decision = acts.begin(Decision.Act.UNUSABLE, item, clip, owner, now, "", before=[own])
    decision.reason = options["reason"]
    own.status, own.answer, own.settled_at = Task.Status.UNUSABLE, None, None
    acts.finish(decision, item, [own])


def _send_to_review(task: Task, owner: User, options: Options, now: datetime) -> None:
    _item(task, now)
    audit.record(audit.Act.ASKED_REVIEW, f"clip {task.clip_id}", owner, now)


def _ask_more(task: Task, owner: User, options: Options, now: datetime) -> None:
    item, locked = _item(task, now)
    if locked.status == Task.Status.UNUSABLE:
        raise ClipRefused(ClipRefusal.UNUSABLE_ALREADY)
    acts.ask_more(item, owner, options["number"], now)


def _show_as_example(task: Task, owner: User, options: Options, now: datetime) -> None:
    locked = Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    if locked.status != Task.Status.SETTLED:
        raise ClipRefused(ClipRefusal.NOT_SETTLED)
    if not Task.objects.filter(pk=task.pk).live_for(Purpose.VOLUNTEERS).exists():
        raise ClipRefused(ClipRefusal.NOT_LIVE)
    if Example.objects.filter(task=task.pk, is_shown=True).exists():
        raise ClipRefused(ClipRefusal.EXAMPLE_ALREADY)
    examples.choose(locked, "")


def _item(task: Task, now: datetime) -> tuple[ReviewItem, Task]:
    """The open dispute of this task, opened if there is none, and the task under its lock."""
    locked = (
        Task.objects.select_for_update(of=("self",), no_key=True).select_related("campaign").get(pk=task.pk)
    )
    of_clip = ReviewItem.objects.open().filter(clip=task.clip_id)
    if of_clip.exclude(kind=ReviewItem.Kind.DISPUTE).exists():
        raise ClipRefused(ClipRefusal.REVIEWER_FIRST)
    ReviewItem.objects.open_disputes([locked], ReviewItem.Reason.OWNER_ASKS, now)
    return of_clip.get(task=task.pk, kind=ReviewItem.Kind.DISPUTE), locked


ACTS: dict[ClipJob.Act, Callable[[Task, User, Options, datetime], None]] = {
    ClipJob.Act.PRIORITY: _set_priority,
    ClipJob.Act.UNUSABLE: _call_unusable,
    ClipJob.Act.TO_REVIEW: _send_to_review,
    ClipJob.Act.ASK_MORE: _ask_more,
    ClipJob.Act.EXAMPLE: _show_as_example,
}
