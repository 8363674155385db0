"""What is known of a crowd that labels, and the part of it that a certificate keeps."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Self

import numpy as np

from . import dawid_skene
from .ballots import Floats
from .dawid_skene import DEFAULT_ACCURACY, SHARE, TAIL

# Rows are true classes, columns answers; each row sums to 1.
Matrix = tuple[tuple[float, ...], ...]

# Decimals of the numbers in a crowd and a verdict, so that they survive JSON unchanged.
DECIMALS = 6


@dataclass(frozen=True)
class LabelCrowd:
    """What the last refit learned of one crowd: those who label in one language.

    `prior`: the probability of each class; `pooled`: the matrix of a stranger, who is not in `skills`;
    `skills`: each known annotator's matrix; `tail` and `share`: the parameters of `dawid_skene.posterior`.
    The field names are those of the JSON in certificates.
    """

    classes: tuple[str, ...]
    prior: tuple[float, ...]
    pooled: Matrix
    skills: Mapping[Hashable, Matrix]
    tail: float = TAIL
    share: float = SHARE

    @classmethod
    def strangers(cls, classes: Sequence[str]) -> Self:
        """A crowd of which nothing is known."""
        number = len(classes)
        uniform = (round(1 / max(number, 1), DECIMALS),) * number
        return cls(tuple(classes), uniform, rounded(dawid_skene.one_coin(number, DEFAULT_ACCURACY)), {})

    @classmethod
    def from_json(cls, data: dict[str, Any], annotators: Sequence[Hashable]) -> Self:
        """The part of a crowd that `as_json` returned; `annotators` in the same order as there."""
        skills = {
            annotator: _tuples(matrix)
            for annotator, matrix in zip(annotators, data["skills"], strict=True)
            if matrix is not None
        }
        return cls(
            classes=tuple(data["classes"]),
            prior=tuple(data["prior"]),
            pooled=_tuples(data["pooled"]),
            skills=skills,
            tail=data["tail"],
            share=data["share"],
        )

    def as_json(self, annotators: Sequence[Hashable]) -> dict[str, Any]:
        """What a decision on these annotators' votes uses; `skills` in their order, None for a stranger."""
        return {
            "classes": list(self.classes),
            "prior": list(self.prior),
            "pooled": _lists(self.pooled),
            "tail": self.tail,
            "share": self.share,
            "skills": [
                _lists(self.skills[annotator]) if annotator in self.skills else None
                for annotator in annotators
            ],
        }

    def reliability(self, annotator: Hashable) -> float:
        """The expected share of an annotator's right answers, from 0 to 1."""
        matrix = self.skills.get(annotator, self.pooled)
        return fsum(self.prior[k] * matrix[k][k] for k in range(len(self.classes)))


def rounded(matrix: Floats) -> Matrix:
    """The matrix to `DECIMALS`, and never 0: what no one has done so far is still possible."""
    return _tuples(np.maximum(np.round(matrix.astype(float), DECIMALS), 10**-DECIMALS).tolist())


def _tuples(matrix: Sequence[Sequence[float]]) -> Matrix:
    return tuple(tuple(row) for row in matrix)


def _lists(matrix: Matrix) -> list[list[float]]:
    return [list(row) for row in matrix]
