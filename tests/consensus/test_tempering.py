"""How sure labels should be, learned from known tasks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.consensus import tempering
from tagger.consensus.tempering import learn, tempered

rows = st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=1, max_size=20)


def as_posterior(given_rows):
    values = np.array(given_rows)
    return values / values.sum(1, keepdims=True)


@given(rows, st.floats(0.15, 7))
def test_a_power_keeps_the_order_of_the_classes(given_rows, power):
    posterior = as_posterior(given_rows)
    found = tempered(posterior, power)
    assert found.sum(1) == pytest.approx(np.ones(len(found)))
    assert (np.diff(np.take_along_axis(found, posterior.argsort(1), 1), axis=1) >= -1e-12).all()


@given(rows, st.data())
def test_the_interval_holds_the_power(given_rows, data):
    posterior = as_posterior(given_rows)
    known = data.draw(st.lists(st.integers(0, 2), min_size=len(posterior), max_size=len(posterior)))
    found = learn(posterior, np.array(known))
    assert (
        np.exp(-tempering.MOST) - 1e-4
        <= found.low
        <= found.value
        <= found.high
        <= np.exp(tempering.MOST) + 1e-4
    )


def crowd(power, tasks, seed=1):
    """Posteriors of two classes, and classes drawn from them to this power."""
    random = np.random.default_rng(seed)
    posterior = random.dirichlet([2, 2], tasks)
    likely = tempered(posterior.copy(), power)
    return posterior, (random.random(tasks) < likely[:, 1]).astype(int)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.5])
def test_the_power_is_found_and_its_interval_narrows(power):
    few, many = (learn(*crowd(power, tasks)) for tasks in (100, 5_000))
    assert many.value == pytest.approx(power, rel=0.1)
    assert many.low < power < many.high and few.low < power < few.high
    assert many.high - many.low < (few.high - few.low) / 3


def test_the_interval_holds_the_right_power_in_95_percent_of_cases():
    found = [learn(*crowd(1.5, 300, seed)) for seed in range(200)]
    assert 0.9 <= np.mean([each.low <= 1.5 <= each.high for each in found]) <= 0.99


def test_a_few_known_tasks_change_little():
    assert 0.8 < learn(np.array([[0.9, 0.1]]), np.array([0])).value < 1.25


def test_without_known_tasks_nothing_is_changed_and_nothing_is_sure():
    found = learn(np.empty((0, 2)), np.empty(0, int))
    assert found.value == 1 and found.low < 0.2 and found.high > 7
