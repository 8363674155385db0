"""Releases that are versions of each other: their numbers, and what changed from one to the next."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef

from accounts.refusals import Refusal
from datasets.models import DatasetLine, Release, ReleaseRow

FIRST = "1.0.0"
_NUMBER = re.compile(r"(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})")


class VersionRefusal(StrEnum):
    BAD_NUMBER = "bad-number"  # found
    NOT_NEWER = "not-newer"  # found, previous, number
    NOT_THE_LAST = "not-the-last"  # previous, last


class BadVersion(Refusal):
    """It cannot follow the version that was named. Its code is a VersionRefusal."""


def line_of(after: Release | None, now: datetime) -> DatasetLine:
    """The line of the release before, or a new one. Raises BadVersion if another one follows it already.

    The line is locked until the transaction ends, so that no two releases follow the same one.
    """
    if after is None:
        return DatasetLine.objects.create(started_at=now)
    line = DatasetLine.objects.select_for_update().get(pk=after.line_id)
    last = line.releases.order_by("-published_at", "-pk").first()
    if last is not None and last.pk != after.pk:
        raise BadVersion(VersionRefusal.NOT_THE_LAST, previous=after.slug, last=last.slug)
    return line


def number(wished: str | None, after: Release | None) -> str:
    """The number of a version: as wished, or the next one. Raises BadVersion.

    >>> number(None, None)
    '1.0.0'
    """
    before = _parts(after.version) if after else None
    if wished is None:
        return FIRST if before is None else f"{before[0]}.{before[1] + 1}.0"
    if not _NUMBER.fullmatch(wished):
        raise BadVersion(VersionRefusal.BAD_NUMBER, found=wished)
    if after and before and _parts(wished) <= before:
        raise BadVersion(VersionRefusal.NOT_NEWER, found=wished, previous=after.slug, number=after.version)
    return wished


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


class Before:
    """The rows of the version before, by task."""

    def __init__(self, previous: Release | None) -> None:
        self._previous = previous

    def mark(self, rows: Sequence[ReleaseRow]) -> None:
        """Set what each row was before, and why its answer is another one now. Does not save."""
        if self._previous is None:
            return
        earlier = self._previous.rows.listed().filter(task__in=[row.task_id for row in rows])
        found = {row.task_id: row for row in earlier.select_related("task__clip__contributor__data_key")}
        for row in rows:
            if before := found.get(row.task_id):
                row.previous_id = before.public_id
                row.changed_by = _changed_by(before, row)


def _changed_by(before: ReleaseRow, now: ReleaseRow) -> str:
    if before.answer == now.answer:
        return ReleaseRow.Change.NOTHING
    if now.soft.get("adjudicated") and not before.soft.get("adjudicated"):
        return ReleaseRow.Change.REVIEWER
    return ReleaseRow.Change.VOTES if now.votes > before.votes else ReleaseRow.Change.RECOUNT


def changes(release: Release) -> dict[str, Any]:
    """How many clips came, how many answers changed and why, how many were recalled or are left out now.

    Empty for the first version. `recalled` counts what the feed of the previous version names, and
    `left_out` what the previous version lists and this one does not.
    """
    previous = release.previous
    if previous is None:
        return {}
    changed = Counter(
        release.rows.exclude(changed_by=ReleaseRow.Change.NOTHING).values_list("changed_by", flat=True)
    )
    still = release.rows.filter(previous_id=OuterRef("public_id"))
    return {
        "previous": previous.slug,
        "added": release.rows.filter(previous_id="").count(),
        "changed": dict(sorted(changed.items())),
        "recalled": previous.recalls.in_force().count(),
        "left_out": previous.rows.listed().filter(~Exists(still)).count(),
    }
