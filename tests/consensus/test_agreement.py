"""Agreement of annotators, checked against published examples."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tagger.consensus import agreement
from tagger.consensus.agreement import Figure, of_labels, of_transcripts

# Examples A, B and C of K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), and the one in
# Wikipedia's article on alpha. A row is an observer, a point a missing answer.
WORKED = {
    "two observers, two values": (["0100000010", "1110010000"], 0.095),
    "two observers, many values": (["aabbdcccedda", "babbbccceddd"], 0.692),
    "four observers who left some out": (
        ["123321412...", "1233224125.3", ".3332342251.", "12332441251."],
        0.743,
    ),
    "three observers who left most out": (
        [".....34121133.3", "1.213343.......", "..21344.21133.4"],
        0.691,
    ),
}

counts = arrays.arrays(np.int64, st.tuples(st.integers(2, 12), st.integers(2, 4)), elements=st.integers(0, 5))
word = st.sampled_from(["play", "stop", "the", "song"])
transcripts = st.lists(st.lists(st.lists(word, max_size=5), min_size=2, max_size=4), min_size=1, max_size=5)


def table(observers):
    """How many observers gave each unit each value: (units, values)."""
    rows = [line.replace(" ", "") for line in observers]
    values = sorted(set("".join(rows)) - {"."})
    return np.array([[unit.count(value) for value in values] for unit in zip(*rows, strict=True)])


@pytest.mark.parametrize("observers, published", WORKED.values(), ids=WORKED.keys())
def test_alpha_matches_published_values(observers, published):
    assert of_labels(table(observers)).alpha.value == pytest.approx(published, abs=0.0005)


def test_the_agreeing_share_counts_every_answer_once():
    # For two of the five answers, another answer to the same task agrees with probability 1/2.
    assert of_labels(np.array([[2, 1], [1, 1]])).agreeing.value == pytest.approx((2 * 0.5) / 5)


@given(counts, st.randoms(use_true_random=False))
def test_neither_the_names_of_classes_nor_the_order_of_tasks_matter(table, random):
    tasks, classes = list(range(table.shape[0])), list(range(table.shape[1]))
    random.shuffle(tasks)
    random.shuffle(classes)
    one, other = of_labels(table, resamples=20), of_labels(table[tasks][:, classes], resamples=20)
    assert one.alpha.value == pytest.approx(other.alpha.value)
    assert one.agreeing.value == pytest.approx(other.agreeing.value)


@given(counts, st.randoms(use_true_random=False))
def test_the_same_answers_give_the_same_intervals_in_any_order(table, random):
    tasks = list(range(len(table)))
    random.shuffle(tasks)
    assert of_labels(table, resamples=20) == of_labels(table[tasks], resamples=20)


@given(counts)
def test_alpha_is_at_most_one_and_shares_are_between_zero_and_one(table):
    found = of_labels(table, resamples=20)
    assert found.alpha.value is None or found.alpha.value <= 1
    assert found.agreeing.value is None or 0 <= found.agreeing.value <= 1


@given(counts)
def test_an_interval_is_ordered_and_never_nan(table):
    for figure in (of_labels(table, resamples=20).alpha, of_labels(table, resamples=20).agreeing):
        if figure.low is not None:
            assert figure.low <= figure.high


@given(counts)
def test_alpha_is_one_exactly_when_no_one_disagrees(table):
    alpha = of_labels(table, resamples=20).alpha.value
    assume(alpha is not None)
    pairable = table[table.sum(1) >= 2]
    assert (alpha == 1) == bool(((pairable > 0).sum(1) == 1).all())


def test_random_answers_have_an_alpha_of_about_zero():
    table = np.random.default_rng(3).multinomial(4, [0.5, 0.3, 0.2], 20_000)
    assert abs(of_labels(table).alpha.value) < 0.01


def test_the_interval_contains_the_truth_in_about_95_percent_of_cases():
    # Pairs of answers agree with probability 0.8, so the agreeing share is known.
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        agreeing = random.binomial(60, 0.8)
        table = np.array([[2, 0]] * agreeing + [[1, 1]] * (60 - agreeing))
        figure = of_labels(table, resamples=400).agreeing
        hits += figure.low <= 0.8 <= figure.high
    assert 180 <= hits <= 199


def test_resampling_patterns_equals_resampling_tasks():
    table = np.random.default_rng(7).multinomial(3, [0.7, 0.3], 80)
    figure = of_labels(table, resamples=4000).alpha
    random = np.random.default_rng(8)
    drawn = [of_labels(table[random.integers(0, 80, 80)], resamples=1).alpha.value for _ in range(2000)]
    assert (figure.low, figure.high) == pytest.approx(np.percentile(drawn, agreement.MIDDLE), abs=0.03)


@pytest.mark.parametrize(
    "table", [np.zeros((0, 2), int), np.array([[1, 0], [0, 1]])], ids=["no task", "one answer a task"]
)
def test_nothing_is_defined_without_two_answers_to_one_task(table):
    found = of_labels(table)
    assert (found.alpha, found.agreeing, found.tasks) == (Figure(None), Figure(None), 0)


def test_identical_answers_agree_fully_and_leave_alpha_undefined():
    found = of_labels(np.array([[3, 0], [2, 0]]))
    assert found.alpha == Figure(None)
    assert found.agreeing == Figure(1.0, 1.0, 1.0)


def test_a_single_task_has_a_value_but_no_interval():
    assert of_labels(np.array([[2, 1]])).agreeing == Figure(pytest.approx(1 / 3))


def test_unused_classes_do_not_change_alpha():
    few = np.random.default_rng(1).multinomial(4, [0.5, 0.5], 50)
    many = np.zeros((50, 90), int)
    many[:, [3, 71]] = few
    assert of_labels(many, resamples=20).alpha.value == pytest.approx(
        of_labels(few, resamples=20).alpha.value
    )


@given(transcripts, st.randoms(use_true_random=False))
def test_neither_the_order_of_annotators_nor_of_tasks_matters_for_words(tasks, random):
    shuffled = [random.sample(task, len(task)) for task in tasks]
    random.shuffle(shuffled)
    one, other = of_transcripts(tasks, resamples=20), of_transcripts(shuffled, resamples=20)
    assert one.agreeing.value == pytest.approx(other.agreeing.value)


@given(transcripts)
def test_the_share_of_agreeing_words_is_between_zero_and_one(tasks):
    value = of_transcripts(tasks, resamples=20).agreeing.value
    assert value is None or 0 <= value <= 1


def test_equal_transcripts_agree_in_all_their_words():
    assert of_transcripts([[["stop"], ["stop"]], [["play", "it"], ["play", "it"]]]).agreeing.value == 1


def test_transcripts_without_any_word_define_nothing():
    assert of_transcripts([[[], []]]).agreeing == Figure(None)


def test_words_against_silence_do_not_agree():
    assert of_transcripts([[["stop"], []]]).agreeing.value == 0
