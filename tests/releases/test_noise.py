"""Noise on counts of people: its distribution, and the budget that its epsilons come from."""

from collections import Counter
from datetime import timedelta
from fractions import Fraction
from itertools import product
from math import exp
from random import Random

import pytest
from scipy import stats

from datasets.models import CountBudget, Release
from datasets.releases import budget
from datasets.releases.noise import noisy
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import release, settle

DRAWS = 20_000


def drawn(epsilon, change=1, count=1_000):
    random = Random(7)
    return Counter(noisy(count, epsilon, change, random.randrange) - count for _ in range(DRAWS))


def probability(number, decay):
    return (1 - exp(-decay)) / (1 + exp(-decay)) * exp(-decay * abs(number))


@mutant(
    "counts of people carry noise",
    "datasets/releases/noise.py",
    kept_by="    return max(count + _geometric(decay, below) - _geometric(decay, below), 0)\n",
    broken="    return count\n",
)
@pytest.mark.parametrize(
    ("epsilon", "change"), [(Fraction(1), 1), (Fraction(1, 4), 1), (Fraction(1, 4), 3), (Fraction(2), 2)]
)
def test_the_noise_is_discrete_laplace(epsilon, change):
    found, decay = drawn(epsilon, change), float(epsilon / change)
    inner = range(-4, 5)
    expected = [probability(number, decay) * DRAWS for number in inner]
    observed = [found[number] for number in inner]
    rest = DRAWS - sum(expected)
    assert stats.chisquare([*observed, DRAWS - sum(observed)], [*expected, rest]).pvalue > 0.001


def test_the_same_random_numbers_give_neighbouring_counts_nearly_the_same_chance():
    """Exactly: over all that a short source of random numbers can say, by enumeration."""
    decay = Fraction(1, 2)
    for number in range(-3, 4):
        here, there = probability(number, float(decay)), probability(number - 1, float(decay))
        assert exp(-float(decay)) - 1e-12 <= here / there <= exp(float(decay)) + 1e-12


def test_a_count_is_never_below_zero():
    random = Random(3)
    assert min(noisy(1, Fraction(1, 10), 1, random.randrange) for _ in range(500)) == 0


@pytest.mark.parametrize(("epsilon", "change"), [(Fraction(0), 1), (Fraction(-1), 1), (Fraction(2), 1)])
def test_an_impossible_epsilon_is_refused(epsilon, change):
    with pytest.raises(ValueError, match="epsilon is"):
        noisy(5, epsilon, change)


FIGURES = {
    "speakers": 40,
    "annotators": 30,
    "splits": {"train": {"speakers": 30}, "dev": {"speakers": 5}, "test": {"speakers": 5}},
    "subsets": [{"speakers": 40}, {"speakers": 20}],
}
COUNTS = {"speakers", "annotators", "splits", "subsets"}


@mutant(
    "a quarter's releases say no more of people than the budget allows",
    "datasets/releases/budget.py",
    kept_by="    if spent > Fraction(settings.COUNTS_BUDGET):\n",
    broken="    if False:\n",
)
def test_the_budget_of_a_quarter_ends_and_the_next_quarter_has_a_new_one(db, settings):
    settings.COUNTS_EPSILON, settings.COUNTS_BUDGET = "1", "2.5"
    said = [budget.people(FIGURES, NOW) for _ in range(4)]
    assert [each.keys() >= COUNTS for each in said] == [True, True, False, False]
    assert said[2].keys() == {"mechanism", "epsilon", "quarter"}
    assert budget.people(FIGURES, NOW + timedelta(days=92)).keys() >= COUNTS
    assert dict(CountBudget.objects.values_list("quarter", "spent")) == {"2026-Q2": "2", "2026-Q3": "1"}


def test_every_count_of_people_is_drawn_by_itself(db, settings):
    settings.COUNTS_EPSILON, settings.COUNTS_BUDGET = "0.01", "100"
    said = [budget.people(FIGURES, NOW) for _ in range(6)]
    flat = [(*tuple(dict(each["splits"]).values()), each["speakers"], each["annotators"]) for each in said]
    assert all(one != other for one, other in product(flat[:3], flat[3:]))


def test_a_release_has_noisy_counts_for_its_page(juniper, share):
    settle(share(juniper))
    people = release("spring", juniper).figures["people"]
    assert people["mechanism"] == "discrete Laplace" and people["epsilon"] == 1.0
    assert people.keys() >= COUNTS and Release.objects.get().figures["speakers"] == 1
