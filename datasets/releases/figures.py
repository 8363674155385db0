"""Counts about a release for its documents, and for its counts of people, made when it is frozen. No ids."""

from math import fsum
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet, Sum

from datasets.models import Annotation, Release, ReleaseRow

from . import splits


def count(release: Release) -> dict[str, Any]:
    """Of a release as it is frozen; what its page shows follows the recall feed and is in `contents`.

    `splits`: clips, seconds, speakers, share of the seconds and the share that was aimed at; `subsets`:
    clips, seconds, speakers; `expected_error`: mean of 1 - confidence; `votes` and `annotators` of what
    volunteers answered.
    """
    rows = release.rows.all()
    whole = rows.aggregate(
        clips=Count("pk"),
        seconds=Sum("task__clip__seconds"),
        speakers=Count("speaker", distinct=True),
        confidence=Avg("confidence"),
        votes=Sum("votes"),
        adjudicated=Count("pk", filter=Q(plain_soft__adjudicated=True) | Q(task__adjudicated=True)),
    )
    clips, seconds = whole["clips"], whole["seconds"] or 0.0
    return {
        "clips": clips,
        "seconds": seconds,
        "speakers": whole["speakers"],
        "votes": whole["votes"] or 0,
        "annotators": _annotators(rows),
        "adjudicated": whole["adjudicated"],
        "expected_error": None if not clips else round(1 - whole["confidence"], 4),
        "splits": _splits(rows, seconds),
        "subsets": _by(rows, "subset"),
    }


def _annotators(rows: QuerySet[ReleaseRow]) -> int:
    """How many volunteers answered; those who left and let their answers stay are not counted."""
    answers = Annotation.objects.filter(task__in=rows.values("task"))
    return answers.aggregate(found=Count("annotator", distinct=True))["found"] or 0


def _by(rows: QuerySet[ReleaseRow], column: str) -> list[dict[str, Any]]:
    counted = rows.order_by(column).values(column)
    counted = counted.annotate(
        clips=Count("pk"), seconds=Sum("task__clip__seconds"), speakers=Count("speaker", distinct=True)
    )
    return [dict(each) for each in counted]


def _splits(rows: QuerySet[ReleaseRow], seconds: float) -> dict[str, dict[str, Any]]:
    found = {each.pop("split"): each for each in _by(rows, "split")}
    empty = {"clips": 0, "seconds": 0.0, "speakers": 0}
    return {
        split: (counted := found.get(split, empty))
        | {"share": round(counted["seconds"] / seconds, 4) if seconds else 0.0, "target": target}
        for split, target in splits.TARGETS
    }


def missed_targets(figures: dict[str, Any], tolerance: float = 0.05) -> list[tuple[str, float, float]]:
    """The splits whose share is further from its target: name, share, target."""
    parts = figures.get("splits", {})
    total = fsum(each["share"] for each in parts.values())
    return [
        (split, each["share"], each["target"])
        for split, each in parts.items()
        if total and abs(each["share"] - each["target"]) > tolerance
    ]
