"""Looks once an hour for settled tasks that a reviewer should hear all the same. Never changes a label."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts.keys import KeyLost
from datasets import normalise
from datasets.models import Annotation, Campaign, Label, Task
from tagger.consensus.network import edit_distance
from tagger.models import ReviewItem

LATELY = timedelta(days=1)  # beat may have been away for that long
MOST = 10_000  # tasks of one campaign that are read at a time

# Shares of a clip in which the voice detector hears speech. Of 173 real wake words in public collections, all
# have at least 0.16. Short words of quiet speakers can have none, so a transcript is no contradiction to it.
NO_VOICE = 0.05
VOICE = 0.3

FAR = 0.75  # word edits between a machine's draft and what people agreed on, for each word of the longer one

ENOUGH = 5  # answers to a control

Reason = ReviewItem.Reason


def sweep(campaign: Campaign, now: datetime) -> int:
    """Open items over what was found in this campaign; returns how many tasks. Finds nothing twice."""
    found = {
        Reason.MACHINE_DIFFERS: [task.pk for task in _machine_differs(campaign, now)],
        Reason.CONTROL_MISSED: [task.pk for task in _missed_by_many(campaign, now)],
    }
    return sum(_open(pks, reason, now) for reason, pks in found.items())


@transaction.atomic
def _open(pks: Iterable[int], reason: str, now: datetime) -> int:
    """Those that are locked at this moment are left to the next sweep."""
    settled = Task.objects.filter(pk__in=pks, status=Task.Status.SETTLED).select_related("campaign")
    tasks = list(settled.select_for_update(no_key=True, skip_locked=True, of=("self",)).order_by("pk"))
    ReviewItem.objects.open_disputes(tasks, reason, now)
    return len(tasks)


def _machine_differs(campaign: Campaign, now: datetime) -> Iterator[Task]:
    settled = Task.objects.filter(
        campaign=campaign, status=Task.Status.SETTLED, adjudicated=False, settled_at__gt=now - LATELY
    )
    new = _not_found_before(settled, Reason.MACHINE_DIFFERS)
    if campaign.asks_for_words:
        yield from _texts_that_differ(new.select_related("campaign", "clip__contributor__data_key"))
    else:
        silent = Q(plain_answer=Label.YES, clip__speech_share__lt=NO_VOICE)
        spoken = Q(plain_answer=Label.NOISE, clip__speech_share__gt=VOICE)
        yield from new.filter(silent | spoken)[:MOST]


def _texts_that_differ(tasks: QuerySet[Task]) -> Iterator[Task]:
    for task in tasks.order_by("-settled_at")[:MOST]:
        try:
            answer, draft = task.answer or "", task.draft
        except KeyLost:  # the speaker left while this ran
            continue
        language = task.campaign.language
        said, heard = (tuple(normalise.words(text, language)) for text in (answer, draft))
        if (not said and task.clip.speech_share > VOICE) or (heard and _are_far_apart(said, heard)):
            yield task


def _are_far_apart(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return edit_distance(one, other) > FAR * max(len(one), len(other))


def _missed_by_many(campaign: Campaign, now: datetime) -> Iterable[Task]:
    """Controls that most people answered otherwise; only labels, as transcripts are not right or wrong."""
    if campaign.asks_for_words:
        return []
    asked = Annotation.objects.filter(task__control__campaign=campaign, task__control__retired_at=None)
    since = asked.filter(created_at__gt=F("task__control__since")).order_by()
    missed = Count("pk", filter=~Q(plain_answer=F("task__control__plain_answer")))
    counted = since.values("task").annotate(number=Count("pk"), missed=missed)
    found = counted.filter(number__gte=ENOUGH, missed__gt=F("number") / 2.0).values("task")
    known = Task.objects.filter(pk__in=found, adjudicated=False)
    return _not_found_before(known, Reason.CONTROL_MISSED)


def _not_found_before(tasks: QuerySet[Task], reason: str) -> QuerySet[Task]:
    """A reviewer who left a task as it is has answered that."""
    before = ReviewItem.objects.filter(task=OuterRef("pk"))
    return tasks.filter(~Exists(before.filter(Q(reason=reason) | Q(closed_at=None))))
