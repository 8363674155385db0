"""A release's rows from one position to another, read by statements that are planned once.

An archive reads thousands of such spans, and compiling and planning a statement takes as long as reading the
rows of one.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Purpose
from accounts.prepared import Prepared
from datasets.models import Recall, Release, ReleaseRow, Task

BATCH_SIZE = 2_000

# Where a row is among those of its subset and split: speaker (empty in the order by id) and id.
Position = tuple[str, str]
START: Position = ("", "")

# A subset and a split; None: the whole release.
Place = tuple[int, str] | None


class Span(NamedTuple):
    """The rows of a place from `first`, itself included or not, to `last` (None: to the end)."""

    place: Place
    by_speaker: bool
    first: Position
    last: Position | None
    with_first: bool = True

    def has(self, place: tuple[int, str], position: Position) -> bool:
        begins = position >= self.first if self.with_first else position > self.first
        is_here = self.place is None or self.place == place
        return is_here and begins and (self.last is None or position <= self.last)


def last_of_batch(release: Release, place: Place, by_speaker: bool, after: Position) -> Position | None:
    """The position of the last row of the next batch; None if the next batch is the last one."""
    span = Span(place, by_speaker, after, None, with_first=False)
    columns = ("speaker", "public_id") if by_speaker else ("public_id",)
    following = _within(release.rows.listed(), span).order_by(*columns)
    edge = list(following.values_list(*columns)[BATCH_SIZE - 1 : BATCH_SIZE + 1])
    if len(edge) < 2:
        return None
    return (edge[0][0], edge[0][1]) if by_speaker else ("", edge[0][0])


def listed(
    release: Release, span: Span, columns: tuple[str, ...], is_live_for: Purpose | None
) -> list[tuple[Any, ...]]:
    """The columns of the rows that the day's recall feed has left; JSON as text.

    With `is_live_for`, the last column says whether the clip may be handed out for that now.
    """
    return _listed(_marked(span), columns, is_live_for).rows(_values(release, span))


def erased(release: Release, span: Span) -> Iterator[tuple[str, dict[str, Any]]]:
    """Ids and lines of rows that were erased since the feed, in no order. In the order by speaker, those of
    the whole release: only the line says whose row it was."""
    for public_id, line in _erased(_marked(span)).rows(_values(release, span)):
        yield public_id, json.loads(line)


@cache
def _listed(marked: Span, columns: tuple[str, ...], is_live_for: Purpose | None) -> Prepared:
    rows = _within(ReleaseRow.objects.filter(release=_RELEASE).listed(), marked)
    if is_live_for:
        rows = with_live(rows, is_live_for)
    found = rows.values_list(*columns, *(["is_live"] if is_live_for else []))
    return Prepared(_name("listed", marked, columns, is_live_for), found, _MARKERS)


@cache
def _erased(marked: Span) -> Prepared:
    recalls = Recall.objects.filter(release=_RELEASE).erased()
    if not marked.by_speaker:
        recalls = recalls.filter(_from(marked), _to(marked))
    return Prepared(_name("erased", marked), recalls.values_list("public_id", "line"), _MARKERS)


def with_live(rows: QuerySet[ReleaseRow], audience: Purpose) -> QuerySet[ReleaseRow]:
    """Annotates `is_live`: whether the clip may be handed out for this now."""
    live = Task.objects.live_for(audience, per_row=True).filter(pk=OuterRef("task"))
    return rows.annotate(is_live=Exists(live))


# They stand in statements for the values of a span.
_RELEASE, _SUBSET = 31_001, 31_002
_SPLIT = "<split>"
_FIRST = "<first speaker>", "<first id>"
_LAST = "<last speaker>", "<last id>"
_MARKERS: tuple[str | int, ...] = (_RELEASE, _SUBSET, _SPLIT, *_FIRST, *_LAST)


def _marked(span: Span) -> Span:
    """A span of the same kind, with markers in place of values."""
    place = None if span.place is None else (_SUBSET, _SPLIT)
    return Span(place, span.by_speaker, _FIRST, None if span.last is None else _LAST, span.with_first)


def _values(release: Release, span: Span) -> dict[str | int, Any]:
    subset, split = span.place or (0, "")
    (speaker, first), (last_speaker, last) = span.first, span.last or START
    values = release.pk, subset, split, speaker, first, last_speaker, last
    return dict(zip(_MARKERS, values, strict=True))


def _name(use: str, *of: object) -> str:
    """Of a statement. It need not be readable, but PostgreSQL keeps no more than 63 bytes of it."""
    return f"{use}_{hashlib.sha256(repr(of).encode()).hexdigest()[:32]}"


def _within(rows: QuerySet[ReleaseRow], span: Span) -> QuerySet[ReleaseRow]:
    if span.place is not None:
        rows = rows.filter(subset=span.place[0], split=span.place[1])
    return rows.filter(_from(span), _to(span))


def _from(span: Span) -> Q:
    speaker, public_id = span.first
    here = Q(public_id__gte=public_id) if span.with_first else Q(public_id__gt=public_id)
    return Q(speaker__gt=speaker) | Q(here, speaker=speaker) if span.by_speaker else here


def _to(span: Span) -> Q:
    if span.last is None:
        return Q()
    speaker, public_id = span.last
    here = Q(public_id__lte=public_id)
    return Q(speaker__lt=speaker) | Q(here, speaker=speaker) if span.by_speaker else here
