"""Campaigns of one crowd of labellers: each learned by itself, and what they take from one another."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import agreement, dawid_skene, labels, levels, subtypes
from .ballots import Floats, Integers
from .label_crowd import DECIMALS, LabelCrowd, rounded
from .labels import LabelFit
from .levels import Records, Shared


@dataclass(frozen=True)
class CampaignFit:
    """`voters` (workers,): who the workers of `fit` are, numbered from 0 in the same way for all campaigns,
    or -1 for one who is not known elsewhere; `known`: how far the truth of its tasks is known, 0 to 1."""

    voters: Integers
    fit: LabelFit
    known: float


@dataclass(frozen=True)
class LabelLevels:
    """`campaigns`: each one's fit with what it took from the others, in their order.

    For a campaign without answers: `prior` (classes,), `pooled` (classes, answers), and the `matrices`
    (voters, classes, answers) of all who answered elsewhere.
    """

    campaigns: list[LabelFit]
    prior: Floats
    pooled: Floats
    matrices: Floats

    def crowd(self, classes: Sequence[str], annotators: Sequence[Hashable]) -> LabelCrowd:
        """What holds in a new campaign, by name: `annotators` in the order of the voters' numbers."""
        skills = {who: rounded(matrix) for who, matrix in zip(annotators, self.matrices, strict=True)}
        prior = tuple(np.round(self.prior.astype(float), DECIMALS).tolist())
        return LabelCrowd(tuple(classes), prior, rounded(self.pooled), skills)


def known_share(tasks: Integers, answers: Integers, classes: int) -> float:
    """How far the truth is known of tasks with these answers, one row each; see `levels.knowledge`."""
    cast = answers >= 0
    tasks, answers = tasks[cast], answers[cast]
    given = np.bincount(tasks * classes + answers, minlength=(int(tasks.max(initial=-1)) + 1) * classes)
    number = np.bincount(tasks).astype(np.float64)
    others = float((number * (number - 1)).sum() / max(number.sum(), 1))
    return levels.knowledge(agreement.of_labels(given.reshape(-1, classes)).alpha.low, others)


def share_labels(campaigns: Sequence[CampaignFit], voters: int) -> LabelLevels:
    """Let each campaign, of at least one, take from the others; `voters`: how many people there are.

    With a single campaign its fit stays as it is, apart from rounding.
    """
    known = np.array([each.known for each in campaigns])
    classes = len(campaigns[0].fit.prior)
    seen = _of_campaigns([each.fit.seen[None] for each in campaigns])
    even = np.full((1, classes), 1 / classes)
    prior = levels.share(Records(*seen, np.broadcast_to(even, seen[2].shape), classes), known, even)
    whole = _of_campaigns([each.fit.counts.sum(0, dtype=np.float64) for each in campaigns])
    coins = np.stack([dawid_skene.own_coin(total) for total in whole[2]])
    anyone = dawid_skene.one_coin(classes, dawid_skene.DEFAULT_ACCURACY)
    pooled = levels.share(Records(*whole, coins, dawid_skene.ONE_COIN), known, anyone)
    people = _people(campaigns, voters, pooled, known)
    ends = np.cumsum([len(each.voters) for each in campaigns])
    fits = [
        _with(each.fit, *parts)
        for each, *parts in zip(
            campaigns, prior.here[:, 0], pooled.here, np.split(people.here, ends[:-1]), strict=True
        )
    ]
    return LabelLevels(fits, labels.flattened(prior.ahead[0, 0]), pooled.ahead[0], people.ahead[:voters])


def _of_campaigns(counts: Sequence[Floats]) -> tuple[Integers, Integers, Floats]:
    """Of all people of a campaign together: the same owner in each."""
    return np.zeros(len(counts), np.int64), np.arange(len(counts)), np.stack(counts)


def _people(campaigns: Sequence[CampaignFit], voters: int, pooled: Shared, known: Floats) -> Shared:
    owners = np.concatenate([each.voters for each in campaigns])
    # Whoever is not known elsewhere is an owner of one record.
    alone = owners < 0
    owners = np.where(alone, voters + np.cumsum(alone), owners)
    where = np.repeat(np.arange(len(campaigns)), [len(each.voters) for each in campaigns])
    counts = np.concatenate([each.fit.counts for each in campaigns])
    records = Records(owners, where, counts, pooled.here[where], dawid_skene.POOLING)
    return levels.share(records, known, pooled.ahead[0])


def _with(fit: LabelFit, shares: Floats, pooled: Floats, matrices: Floats) -> LabelFit:
    prior = labels.flattened(shares)
    matrices = subtypes.distrust(matrices, fit.counts, fit.trust).astype(fit.matrices.dtype)
    right = labels.expected_right(matrices, prior)
    return replace(fit, prior=prior, pooled=pooled, matrices=matrices, reliability=right)
