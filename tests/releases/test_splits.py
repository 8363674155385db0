import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.releases import splits

seconds = st.one_of(st.floats(0, 1e5), st.integers(0, 10).map(float), st.just(1e7))
casts = st.dictionaries(st.text(max_size=5), seconds, max_size=40)
seeds = st.text(max_size=5)


def seconds_by_split(speakers, assigned):
    total = dict.fromkeys(["train", "dev", "test"], 0.0)
    for speaker, split in assigned.items():
        total[split] += speakers[speaker]
    return total


def test_a_single_speaker_is_in_train():
    assert splits.assign({"ann": 9.0}, "seed") == {"ann": "train"}


def test_of_two_speakers_the_one_with_more_seconds_is_in_train():
    assert splits.assign({"ann": 1.0, "bob": 99.0}, "seed") == {"ann": "test", "bob": "train"}


def test_no_speakers_give_no_splits():
    assert splits.assign({}, "seed") == {}


def test_one_very_large_speaker_is_in_train():
    speakers = {"giant": 1000.0} | {f"s{n}": 1.0 for n in range(10)}
    assert splits.assign(speakers, "seed")["giant"] == "train"


def test_with_two_very_large_speakers_the_small_ones_are_in_dev_and_test():
    assigned = splits.assign({"ann": 50.0, "bob": 40.0, "cy": 5.0, "di": 5.0}, "seed")
    assert {assigned["ann"], assigned["bob"]} == {"train"}
    assert {assigned["cy"], assigned["di"]} == {"dev", "test"}


def test_another_seed_gives_other_splits():
    speakers = {f"s{n}": 10.0 for n in range(100)}
    assert splits.assign(speakers, "one") != splits.assign(speakers, "two")


def test_other_targets_are_met():
    speakers = {f"s{n}": 10.0 for n in range(100)}
    assigned = splits.assign(speakers, "seed", targets=(("train", 0.5), ("test", 0.5)))
    assert sorted(assigned.values()).count("test") == 50


def test_rounding_errors_of_a_sum_move_no_speaker():
    speakers = {"ann": 0.7, "bob": 0.1, "cy": 0.3, "di": 0.2, "eve": 0.7}
    backwards = dict(reversed(speakers.items()))
    assert splits.assign(speakers, "x") == splits.assign(backwards, "x")


def test_negative_seconds_are_refused():
    with pytest.raises(ValueError, match="'ann' has -1"):
        splits.assign({"ann": -1.0, "bob": 5.0}, "seed")


@given(casts, seeds)
def test_every_speaker_is_in_one_split(speakers, seed):
    assigned = splits.assign(speakers, seed)
    assert assigned.keys() == speakers.keys()
    assert set(assigned.values()) <= {"train", "dev", "test"}


@given(casts, seeds, st.randoms())
def test_the_order_of_speakers_never_matters(speakers, seed, random):
    shuffled = dict(random.sample(list(speakers.items()), len(speakers)))
    assert splits.assign(speakers, seed) == splits.assign(shuffled, seed)


@given(st.dictionaries(st.text(max_size=5), seconds, min_size=3, max_size=40), seeds)
def test_with_three_speakers_no_split_is_empty_and_train_has_the_most(speakers, seed):
    assigned = splits.assign(speakers, seed)
    assert set(assigned.values()) == {"train", "dev", "test"}
    total = seconds_by_split(speakers, assigned)
    assert total["train"] == max(total.values())


@given(st.lists(st.floats(80, 120), min_size=20, max_size=80), seeds)
def test_shares_of_similar_speakers_are_within_five_points(sizes, seed):
    speakers = {str(number): size for number, size in enumerate(sizes)}
    total = seconds_by_split(speakers, splits.assign(speakers, seed))
    for split, target in splits.TARGETS:
        assert abs(total[split] / sum(sizes) - target) <= 0.05
