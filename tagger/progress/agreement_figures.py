"""How far a campaign's annotators agree, over all and month by month: the only writer of AgreementFigure."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime

import numpy as np
from django.db import transaction
from django.db.models import Count, F, Min, Q
from django.db.models.functions import Coalesce

from datasets import normalise
from datasets.models import Annotation, Campaign, Label
from tagger.consensus import agreement
from tagger.consensus.agreement import Figure
from tagger.models import AgreementFigure

# Transcripts are stored encrypted, and decrypting them takes time: the newest tasks are enough.
MOST_TRANSCRIBED_TASKS = 5_000
CHUNK_SIZE = 2_000

Months = dict[date, list[int]]  # the first day of a month: its tasks, as row numbers


@transaction.atomic
def measure(campaign: Campaign, now: datetime) -> int:
    """Replace the campaign's figures. Returns the number of months that have one."""
    found = list(_of_words(campaign) if campaign.asks_for_words else _of_labels(campaign))
    AgreementFigure.objects.filter(campaign=campaign).delete()
    AgreementFigure.objects.bulk_create(
        AgreementFigure(
            campaign=campaign,
            month=month,
            measured_at=now,
            tasks=tasks,
            alpha=alpha.value,
            alpha_low=alpha.low,
            alpha_high=alpha.high,
            pairwise=pairwise.value,
            pairwise_low=pairwise.low,
            pairwise_high=pairwise.high,
        )
        for month, alpha, pairwise, tasks in found
    )
    return max(len(found) - 1, 0)


def _of_labels(campaign: Campaign) -> Iterator[tuple[date | None, Figure, Figure, int]]:
    by_label = {label: Count("pk", filter=Q(plain_answer=label)) for label in Label.values}
    tasks = Annotation.objects.filter(task__campaign=campaign).values("task").order_by("task")
    # Of kept answers only the quarter is known.
    first = Coalesce(Min("created_at", filter=Q(kept_weight=None)), Min("created_at"))
    rows = tasks.annotate(first=first, **by_label).values_list("first", *Label.values)
    counts: list[tuple[int, ...]] = []
    months: Months = defaultdict(list)
    for first, *numbers in rows.iterator(chunk_size=CHUNK_SIZE):
        months[first.date().replace(day=1)].append(len(counts))
        counts.append(tuple(numbers))
    table = np.array(counts).reshape(-1, len(Label.values))
    for month, rows_of_month in _all_and_each(months):
        found = agreement.of_labels(table if month is None else table[rows_of_month])
        yield month, found.alpha, found.agreeing, found.tasks


def _of_words(campaign: Campaign) -> Iterator[tuple[date | None, Figure, Figure, int]]:
    newest = campaign.tasks.filter(annotation_count__gte=2).order_by("-pk")
    some = list(newest.values_list("pk", flat=True)[:MOST_TRANSCRIBED_TASKS])
    exact_times_first = F("kept_weight").asc(nulls_first=True)
    rows = Annotation.objects.filter(task__in=some).order_by("task", exact_times_first, "pk")
    opened = rows.select_related("task__campaign", "task__clip__contributor__data_key")
    texts: dict[int, list[list[str]]] = defaultdict(list)
    months: Months = defaultdict(list)
    for given in opened.iterator(chunk_size=CHUNK_SIZE):
        if given.task_id not in texts:
            months[given.created_at.date().replace(day=1)].append(len(texts))
        texts[given.task_id].append(normalise.words(given.answer, campaign.language))
    all_texts = list(texts.values())
    for month, rows_of_month in _all_and_each(months):
        found = agreement.of_transcripts([all_texts[row] for row in rows_of_month])
        yield month, Figure(None), found.agreeing, found.tasks


def _all_and_each(months: Months) -> Iterator[tuple[date | None, list[int]]]:
    """First (None, all rows), then (month, its rows) in order."""
    yield None, [row for rows in months.values() for row in rows]
    for month in sorted(months):
        yield month, months[month]
