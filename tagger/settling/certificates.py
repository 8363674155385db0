"""A label's certificate: the engine, the parameters, a hash of the votes, and the confidence.

The certificate and the annotations are enough to recompute the label to the same bytes, even after another
refit of the crowd. It names no one: votes are listed by position, in the order of their rows.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from accounts.signing import canonical_json
from datasets.models import Annotation, Task
from tagger.consensus.verdict import Outcome, Rule, TrackRecord, Verdict, Vote, hold, withhold

from . import engine, version

Certificate = dict[str, Any]


def make(
    kind: str,
    given: Sequence[Annotation],
    rule: Rule,
    crowd: engine.EngineCrowd,
    record: TrackRecord | None = None,
    settled_as: str | None = None,
    weights: Sequence[float] = (),
    fell: bool = False,
) -> tuple[Verdict, Certificate]:
    """The verdict on these annotations, in the order of their rows, and its certificate.

    `record`: None if the campaign needs no one with a track record. `settled_as`: the answer that the task is
    settled with; by the same answer it stays settled, whoever had the track record and was erased. `weights`:
    the weight of each annotation; none if all are 1. What has no weight is as if it had not been given.
    `fell`: it came off being settled with as many annotations, and needs more confidence to settle by them.
    """
    weighed = zip(given, weights or [1.0] * len(given), strict=True)
    votes = [Vote(each.voter, each.answer, weight) for each, weight in weighed if weight]
    found, against, parameters = engine.weigh(votes, rule, crowd)
    fell = fell or (settled_as is not None and found.outcome is not Outcome.SETTLED)
    if fell:
        found = hold(found, len(votes), rule)
        fell = found.outcome is not Outcome.SETTLED
    if record is TrackRecord.MISSING and found.outcome is Outcome.SETTLED and found.answer == settled_as:
        record = TrackRecord.NOT_MISSED
    if record is TrackRecord.MISSING:
        found, against = (
            withhold(found, len(votes), rule),
            against and withhold(against, len(votes) + 1, rule),
        )
    certificate = {
        "engine": version.VERSION,
        "kind": kind,
        "rule": {"least": rule.least, "most": rule.most, "confidence": rule.confidence},
        "parameters": parameters,
        "votes": {"count": len(given), "sha256": _hash(given)},
        "verdict": _as_dict(found),
        "posterior": _posterior(found),
        "one_more_against": against and _as_dict(against),
    }
    certificate |= {"weights": list(weights)} if weights else {}
    certificate |= {"again_from": rule.again_from} if fell else {}
    return found, certificate | ({"track_record": record.value} if record else {})


def mismatch(task: Task) -> str:
    """Why the task's label cannot be recomputed from its certificate; empty if it comes to the same bytes.

    Of one that an earlier version of the engine made, only the votes are compared: it claims nothing of what
    this version makes of them.
    """
    stored = task.certificate
    if not stored:
        return "it has no certificate"
    if stored["engine"] > version.VERSION:
        return f"version {stored['engine']} of the engine made it; this is version {version.VERSION}"
    given = list(task.annotations.order_by("pk"))
    for each in given:
        each.task = task  # whose key opens them
    if _hash(given) != stored["votes"]["sha256"]:
        return "its votes are not the ones that it was made from"
    if version.is_earlier(stored):
        return ""
    weights = stored.get("weights", [])
    counted = [each for each, weight in zip(given, weights or [1.0] * len(given), strict=True) if weight]
    crowd = engine.crowd(stored["kind"], stored["parameters"], [each.voter for each in counted])
    record = TrackRecord(stored["track_record"]) if "track_record" in stored else None
    rule, fell = Rule(**stored["rule"]), "again_from" in stored
    _found, again = make(stored["kind"], given, rule, crowd, record, weights=weights, fell=fell)
    return "" if canonical_json(again) == canonical_json(stored) else "its votes come to another verdict"


def _as_dict(found: Verdict) -> dict[str, Any]:
    return {"outcome": found.outcome.value, "answer": found.answer, "confidence": found.confidence}


def _posterior(found: Verdict) -> Any:
    """{label: probability}, or the probability of each slot's word."""
    if "probabilities" in found.soft:
        return found.soft["probabilities"]
    return [slot["probability"] for slot in found.soft["words"]]


def _hash(given: Sequence[Annotation]) -> str:
    votes = [[each.pk, each.answer] for each in given]
    return hashlib.sha256(canonical_json({"votes": votes})).hexdigest()
