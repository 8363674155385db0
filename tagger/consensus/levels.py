"""What one campaign of a crowd takes from the others: as much as their answers show to hold there as well.

A person's record elsewhere is a prior for their answers here; so are the answers of all people elsewhere, and
the shares of the classes. How much it says is not assumed: it competes with a prior that knows no other
campaign, each weighed by how well it foretells the answers here. Where many answers contradict a record,
nothing is left of it. This is the robust prior of H. Schmidli and others, Robust meta-analytic-predictive
priors in clinical trials with historical control information (2014), doi:10.1111/biom.12242; how often
records hold is learned from all campaigns together.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from .ballots import Floats, Integers

# How many answers here a record elsewhere may be worth, in each of its rows: each is a prior of its own. And
# how many answers of one campaign count in a row elsewhere at most, so that the largest does not speak for
# all. Both are multiples of what is expected without a record.
STRENGTHS, MOST_FROM_ONE = (2.0, 8.0, 32.0), 12.5
# Rounds of EM, and the records with which the share of each prior starts.
ROUNDS, START = 20, 1.0


@dataclass(frozen=True)
class Records:
    """What each of some `owners` (records,) did in one of some `campaigns` (records,), numbered from 0.

    `counts` (records, rows, answers): how often they gave which answer; `base` (records, rows, answers): what
    is expected without any record elsewhere, and `worth`: as strongly as so many answers in a row.
    """

    owners: Integers
    campaigns: Integers
    counts: Floats
    base: Floats
    worth: float


@dataclass(frozen=True)
class Shared:
    """`here` (records, rows, answers): what to expect of each record's owner in its campaign; `ahead`
    (owners, rows, answers): in a campaign in which no one has answered yet; `holds`: the share of records
    that hold elsewhere, from 0 to 1."""

    here: Floats
    ahead: Floats
    holds: float


def share(records: Records, known: Floats, base: Floats) -> Shared:
    """What to expect of everyone in each campaign, and in one that begins.

    `known` (campaigns,): how far the truth is known in each, from `knowledge`; `base` (rows, answers): what
    is expected of anyone in a campaign in which no one has answered.
    """
    counts = records.counts.astype(np.float64)
    says = known[records.campaigns]
    heard = _limited(counts, MOST_FROM_ONE * records.worth) * says[:, None, None]
    whole = _summed(heard, records.owners)
    elsewhere = np.maximum(whole[records.owners] - heard, 0.0)
    priors = [records.worth * records.base]
    priors += [_prior(elsewhere + priors[0], strength * records.worth) for strength in STRENGTHS]
    fits = np.stack([_log_evidence(counts, prior) for prior in priors])
    has_record = elsewhere.sum(axis=(1, 2)) > LEAST
    fits[1:, ~has_record] = -np.inf
    shares = _shares(fits[:, has_record], says[has_record])
    chances = _chances(fits, shares)
    here = sum(
        chance[:, None, None] * _mean(counts + prior) for chance, prior in zip(chances, priors, strict=True)
    )
    ahead = shares[0] * base + (1 - shares[0]) * _mean(whole + records.worth * base)
    return Shared(np.asarray(here), ahead, 1 - float(shares[0]))


# A record of less than so many answers is none: what is left of rounding.
LEAST = 1e-6


def knowledge(agreement: float | None, others: float) -> float:
    """How far the truth of a campaign's tasks is known, from 0 to 1: what its records are worth elsewhere.

    `agreement`: of two answers to one task, beyond chance, and no higher than is certain; `others`: how many
    further answers the task of an answer has, on average. The reliability of so many answers together, by
    the formula of C. Spearman, Correlation calculated from faulty data (1910), and W. Brown, Some
    experimental results in the correlation of mental abilities (1910).

    >>> knowledge(0.5, 3), knowledge(-0.1, 3), knowledge(None, 0)
    (0.75, 0.0, 0.0)
    """
    alike = max(agreement or 0.0, 0.0)
    return round(others * alike / max(1 + (others - 1) * alike, 1e-9), 2)


def _limited(counts: Floats, most: float) -> Floats:
    return np.asarray(counts * (most / np.maximum(counts.sum(axis=2, keepdims=True), most)))


def _summed(counts: Floats, owners: Integers) -> Floats:
    whole = np.zeros((int(owners.max(initial=-1)) + 1, *counts.shape[1:]))
    np.add.at(whole, owners, counts)
    return whole


def _prior(seen: Floats, strength: float) -> Floats:
    """A record of m answers is known that far only: it is worth 1 / (1 / strength + 1 / m)."""
    number = seen.sum(axis=2, keepdims=True)
    return np.asarray(seen * (strength / (strength + number)))


def _log_evidence(counts: Floats, prior: Floats) -> Floats:
    """The log probability of the counts under Dirichlet priors, all rows together: (records,)."""
    rows = gammaln(prior.sum(axis=2)) - gammaln((prior + counts).sum(axis=2))
    rows += (gammaln(prior + counts) - gammaln(prior)).sum(axis=2)
    return np.asarray(rows.sum(axis=1))


def _shares(fits: Floats, says: Floats) -> Floats:
    """How often each prior is the right one, by EM over the records of those with another one: (priors,)."""
    shares = np.full(len(fits), 1 / len(fits))
    for _ in range(ROUNDS):
        shares = _chances(fits, shares) @ says + START
        shares /= shares.sum()
    return shares


def _chances(fits: Floats, shares: Floats) -> Floats:
    """The probability of each prior for each record: (priors, records)."""
    scores = fits + np.log(shares)[:, None]
    odds = np.exp(scores - scores.max(axis=0, initial=-np.inf))
    return np.asarray(odds / odds.sum(axis=0))


def _mean(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum(axis=2, keepdims=True))
