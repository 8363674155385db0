"""What made a label, kept with it: engine, parameters, a hash of the votes, and how sure it is.

With it and the annotations the label can be made again, to the same bytes, also when the crowd has been
learned anew since. It names nobody: votes stand by position, in the order of their rows.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from accounts.signing import canonical_json
from datasets.models import Annotation, Task
from tagger.consensus.verdict import Rule, Verdict, Vote

from . import engine

Certificate = dict[str, Any]


def make(
    kind: str, given: Sequence[Annotation], rule: Rule, crowd: engine.EngineCrowd
) -> tuple[Verdict, Certificate]:
    """The verdict on these annotations, in the order of their rows, and its certificate."""
    votes = [Vote(each.annotator_id, each.answer) for each in given]
    found, against, parameters = engine.weigh(votes, rule, crowd)
    return found, {
        "engine": engine.VERSION,
        "kind": kind,
        "rule": {"least": rule.least, "most": rule.most, "confidence": rule.confidence},
        "parameters": parameters,
        "votes": {"count": len(votes), "sha256": _hash(given)},
        "verdict": _told(found),
        "posterior": _posterior(found),
        "one_more_against": against and _told(against),
    }


def trouble_with(task: Task) -> str:
    """Why the task's label cannot be made again from what it keeps; empty when it comes to the same bytes."""
    held = task.certificate
    if not held:
        return "it has no certificate"
    if held["engine"] != engine.VERSION:
        return f"it was made by version {held['engine']} of the engine, this is version {engine.VERSION}"
    given = list(task.annotations.order_by("pk"))
    for each in given:
        each.task = task  # whose key opens them
    if _hash(given) != held["votes"]["sha256"]:
        return "its votes are not those that it was made from"
    crowd = engine.crowd(held["kind"], held["parameters"], [each.annotator_id for each in given])
    _found, again = make(held["kind"], given, Rule(**held["rule"]), crowd)
    return "" if canonical_json(again) == canonical_json(held) else "it comes out otherwise"


def _told(found: Verdict) -> dict[str, Any]:
    return {"outcome": found.outcome.value, "answer": found.answer, "confidence": found.confidence}


def _posterior(found: Verdict) -> Any:
    """{label: probability}, or the probability of each slot's word."""
    if "probabilities" in found.soft:
        return found.soft["probabilities"]
    return [slot["probability"] for slot in found.soft["words"]]


def _hash(given: Sequence[Annotation]) -> str:
    votes = [[each.pk, each.answer] for each in given]
    return hashlib.sha256(canonical_json({"votes": votes})).hexdigest()
