"""Properties of fitting a crowd: for any votes, for crowds with abusers, and with known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.consensus import dawid_skene, labels, mixtures, replays
from tagger.consensus.ballots import CHUNK, ballots
from tests.support.mutants import mutant

CLASSES = 3
votes = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(-1, 2)), min_size=1, max_size=40)


def fit(rows, classes=CLASSES, **more):
    tasks, workers, answers = np.array(rows).reshape(-1, 3).T
    return labels.fit(tasks, workers, answers, classes, known=np.full(6, -1), **more)


def crowd(seed, people=30, tasks=300, votes=8, classes=4, right=(0.6, 0.95)):
    """A simulated crowd of honest people: (tasks, workers, answers, truth)."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, tasks)
    task = np.repeat(np.arange(tasks), votes)
    worker = np.concatenate([random.choice(people, votes, replace=False) for _ in range(tasks)])
    knows = random.random(task.size) < random.uniform(*right, people)[worker]
    return task, worker, np.where(knows, truth[task], random.integers(0, classes, task.size)), truth


def accuracy(posterior, truth):
    return (posterior.argmax(1) == truth).mean()


def majority(tasks, answers, truth):
    counts = np.zeros((len(truth), 4))
    np.add.at(counts, (tasks, answers), 1)
    return accuracy(counts, truth)


@given(votes, st.randoms())
def test_neither_order_nor_repetition_of_rows_changes_a_byte(rows, random):
    repeated = rows + random.sample(rows, random.randint(0, len(rows)))
    random.shuffle(repeated)
    assert fit(repeated).posterior.tobytes() == fit(rows).posterior.tobytes()


@given(votes)
def test_every_posterior_is_a_distribution(rows):
    posterior = fit(rows).posterior
    assert (posterior >= 0).all()
    assert posterior.sum(1) == pytest.approx(np.ones(6))


@given(votes, st.permutations(range(5)))
def test_renaming_workers_changes_nothing(rows, names):
    renamed = [(task, names[worker], answer) for task, worker, answer in rows]
    trust = np.ones(5)
    np.testing.assert_allclose(
        fit(renamed, trust=trust).posterior, fit(rows, trust=trust).posterior, atol=1e-4
    )


@given(votes, st.permutations(range(3)))
def test_renaming_classes_changes_nothing(rows, names):
    renamed = [(task, worker, names[answer] if answer >= 0 else -1) for task, worker, answer in rows]
    np.testing.assert_allclose(fit(renamed).posterior[:, names], fit(rows).posterior, atol=1e-4)


@given(st.integers(0, 2), st.integers(1, 6), st.integers(1, 5))
def test_a_unanimous_crowd_is_believed(answer, tasks, workers):
    rows = [(task, worker, answer) for task in range(tasks) for worker in range(workers)]
    assert (fit(rows).posterior[:tasks].argmax(1) == answer).all()


def test_an_abstention_is_not_a_vote():
    rows = [(0, 0, 1), (0, 1, 1), (1, 0, 2), (1, 2, 2)]
    with_one = [*rows, (0, 2, -1)]
    assert fit(with_one).posterior.tobytes() == fit(rows).posterior.tobytes()


def test_two_answers_to_one_task_share_a_vote():
    both = fit([(0, 0, 0), (0, 0, 1)]).posterior[0]
    assert both[0] == both[1] > both[2]


def test_repeated_answers_share_a_vote_on_every_task_of_a_large_crowd():
    tasks = np.repeat(np.arange(CHUNK + 10), 3)
    workers, answers = np.tile([0, 1, 1], CHUNK + 10), np.tile([0, 2, 0], CHUNK + 10)
    cast = ballots(tasks, workers, answers, (CHUNK + 10, 2, 3))
    assert (cast.data.reshape(-1, 3) == [1, 0.5, 0.5]).all()


def test_nothing_leads_a_task_without_votes_or_a_tie():
    posterior = fit([(0, 0, 0), (0, 1, 1)]).posterior
    assert posterior[0, 0] == pytest.approx(posterior[0, 1])
    assert labels.leading(posterior)[5].max() < 1


def test_one_worker_alone_is_neither_believed_nor_ignored():
    posterior = fit([(task, 0, task % 3) for task in range(6)]).posterior
    assert (posterior.argmax(1) == np.arange(6) % 3).all()
    assert posterior.max() < 0.8


@given(st.lists(st.integers(0, 2), min_size=1, max_size=30))
def test_a_lone_workers_rare_answer_is_not_overruled_by_the_common_one(answers):
    posterior = fit([(task, 0, answer) for task, answer in enumerate(answers)]).posterior
    assert (posterior[: len(answers)].argmax(1) == answers).all()


def test_correlated_errors_lower_the_weight_of_the_independent_model():
    tasks, workers, answers, truth = crowd(8, tasks=500, classes=2, right=(0.5, 0.7))
    random = np.random.default_rng(8)
    misled = (random.random(500) < 0.3)[tasks] & (random.random(tasks.size) < 0.6)
    together = np.where(misled, 1 - truth[tasks], answers)
    independent, correlated = (
        labels.fit(tasks, workers, given, 2).models[0][0] for given in (answers, together)
    )
    assert correlated < independent


def test_each_vote_is_predicted_from_the_others_alone():
    tasks, workers, answers, _ = crowd(9, people=10, tasks=40)
    votes = ballots(tasks, workers, answers, (40, 10, 4))
    model = dawid_skene.learn(votes, 4, None, np.ones(10))
    predicted = model.leave_one_out(votes)
    assert ((predicted > 0) & (predicted <= 1)).all()
    found = model.posterior(votes)
    knowing = np.einsum(
        "vk,vk->v",
        np.repeat(found, np.diff(votes.indptr), axis=0),
        model.matrices[votes.indices // 4, :, votes.indices % 4],
    )
    assert np.log(predicted).mean() < np.log(knowing).mean()


def test_the_model_that_predicts_votes_better_has_the_larger_weight():
    good, bad = np.full(50, 0.8), np.full(50, 0.4)
    assert mixtures.stacking_weights([good, bad], (0.5, 0.5))[0] > 0.9
    assert mixtures.stacking_weights([good, good], (0.5, 0.5)) == pytest.approx([0.5, 0.5])


def test_a_class_never_voted_stays_unlikely_and_possible():
    tasks, workers, answers, _ = crowd(0, classes=2)
    last = labels.fit(tasks, workers, answers, 3).posterior[:, 2]
    assert (last > 0).all()
    assert last.max() < 0.1


def test_with_one_vote_per_task_its_answer_leads():
    tasks, workers, answers, _ = crowd(0, votes=1)
    posterior = labels.fit(tasks, workers, answers, 4).posterior
    assert (posterior.argmax(1) == answers).all()
    assert posterior.max() < 0.85


def test_weighing_beats_counting():
    tasks, workers, answers, truth = crowd(1, right=(0, 0.95), votes=5)
    found = labels.fit(tasks, workers, answers, 4).posterior
    assert accuracy(found, truth) > majority(tasks, answers, truth) + 0.02


@pytest.mark.thorough
def test_weighing_beats_counting_when_only_a_sample_is_learned_from():
    """Over a million votes, by people of all accuracies, on tasks of which some mislead everyone."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 4, 150_000)
    looks = np.where(random.random(truth.size) < 0.2, random.integers(0, 4, truth.size), truth)
    tasks, workers = np.repeat(np.arange(truth.size), 7), random.integers(0, 2000, 7 * truth.size)
    seen = np.where(random.random(tasks.size) < 0.6, looks[tasks], truth[tasks])
    knows = random.random(tasks.size) < random.beta(1, 1, 2000)[workers]
    answers = np.where(knows, seen, random.integers(0, 4, tasks.size))
    found = labels.fit(tasks, workers, answers, 4).posterior
    assert accuracy(found, truth) > majority(tasks, answers, truth) + 0.01
    assert abs(found.max(1).mean() - accuracy(found, truth)) < 0.05


def test_confidence_matches_the_share_of_right_answers_despite_correlated_errors():
    tasks, workers, answers, truth = crowd(2, tasks=1000, votes=5)
    random = np.random.default_rng(2)
    misleads, misled = random.random(1000) < 0.15, random.random(tasks.size) < 0.5
    answers = np.where(misleads[tasks] & misled, (truth[tasks] + 1) % 4, answers)
    found = labels.fit(tasks, workers, answers, 4).posterior
    assert found.max(1).mean() == pytest.approx(accuracy(found, truth), abs=0.06)


def test_a_known_class_is_certain_and_teaches_who_errs():
    tasks, workers, answers, truth = crowd(3, people=9, votes=3)
    liar = workers == 0
    answers[liar] = (truth[tasks[liar]] + 1) % 4
    known = np.where(np.arange(300) < 150, truth, -1)
    found = labels.fit(tasks, workers, answers, 4, known=known)
    assert (found.posterior[:150].argmax(1) == truth[:150]).all()
    assert found.posterior[:150].max(1).min() == 1
    assert found.reliability[0] < 0.25 < found.reliability[1:].min()


def test_low_trust_lowers_a_workers_reliability():
    tasks, workers, answers, _ = crowd(4, people=10)
    trust = np.ones(10)
    trust[0] = 0.1
    trusted, doubted = (
        labels.fit(tasks, workers, answers, 4, trust=given).reliability[0] for given in (None, trust)
    )
    assert doubted < trusted - 0.3


def test_three_clickers_in_ten_people_cost_little():
    gains = []
    for seed in range(5):
        tasks, workers, answers, truth = crowd(seed, votes=5)
        answers = np.where(workers < 9, workers % 4, answers)
        found = labels.fit(tasks, workers, answers, 4)
        assert found.reliability[:9].max() < found.reliability[9:].min()
        gains.append(accuracy(found.posterior, truth) - majority(tasks, answers, truth))
    assert np.mean(gains) > 0.02


def ring(seed, right):
    tasks, workers, answers, truth = crowd(seed, votes=10)
    random = np.random.default_rng(seed)
    script = np.where(random.random(300) < right, truth, random.integers(0, 4, 300))
    return tasks, workers, np.where(workers < 5, script[tasks], answers), truth


@pytest.mark.parametrize("seed", range(3))
def test_five_workers_who_copy_one_another_count_as_one(seed):
    tasks, workers, answers, truth = ring(seed, right=0.3)
    found = labels.fit(tasks, workers, answers, 4)
    assert found.trust.tolist() == [0.2] * 5 + [1] * 25
    assert accuracy(found.posterior, truth) >= majority(tasks, answers, truth)


@pytest.mark.thorough
@pytest.mark.parametrize("right", [(0.5, 0.7), (0.6, 0.95), (0.95, 0.99)])
def test_no_honest_person_loses_weight(right):
    for seed in range(10):
        tasks, workers, answers, _ = crowd(seed, right=right)
        assert labels.fit(tasks, workers, answers, 4).trust.min() == 1


@pytest.mark.thorough
def test_no_answer_is_impossible_for_a_crowd_that_never_erred():
    tasks = np.repeat(np.arange(6000), 5)
    workers, answers = np.tile(np.arange(5), 6000), tasks % 2
    crowd = labels.fit(tasks, workers, answers, 2).crowd(["yes", "no"], range(5))
    assert all(
        share > 0 for matrix in (crowd.pooled, *crowd.skills.values()) for row in matrix for share in row
    )


def test_a_one_coin_matrix_has_rows_that_sum_to_one():
    assert dawid_skene.one_coin(4, 0.7).sum(1) == pytest.approx(np.ones(4))


@pytest.mark.thorough
def test_stopping_early_saves_votes_and_loses_little():
    tasks, workers, answers, truth = crowd(5, votes=10, tasks=200)
    early = replays.replay(tasks, workers, answers, 4, truth, confidence=0.85, seed=1)
    assert early.votes_per_task < 5
    assert early.accuracy > 0.93
    assert early.tasks == 200
    assert early.decided > 190


@pytest.mark.thorough
def test_a_replay_with_the_same_seed_is_the_same():
    tasks, workers, answers, truth = crowd(6, votes=4, tasks=60)
    first, second = (replays.replay(tasks, workers, answers, 4, truth, 0.8, seed=3) for _ in range(2))
    assert first == second


@pytest.mark.thorough
def test_a_replay_asks_no_more_than_its_most():
    tasks, workers, answers, truth = crowd(7, votes=6, tasks=60)
    done = replays.replay(tasks, workers, answers, 4, truth, confidence=1, seed=3, most=3)
    assert (done.votes_per_task, done.decided) == (3, 0)


def heard_alike(seed, clips, classes, people=900, each=250):
    """Clips that sound to everyone like something, which is not always what is said.

    (tasks, workers, answers, truth)
    """
    random = np.random.default_rng(seed)
    truth = random.choice(classes, clips, p=np.arange(classes, 0, -1) / sum(range(classes + 1)))
    sounds = random.normal(0, 0.8, (clips, classes))
    sounds[np.arange(clips), truth] += 1.6
    leaning = random.normal(0, 0.8, (people, classes))
    task = np.repeat(np.arange(clips), each)
    worker = np.concatenate([random.choice(people, each, replace=False) for _ in range(clips)])
    noise = random.gumbel(size=(task.size, classes))
    return task, worker, (sounds[task] + leaning[worker] + noise).argmax(1), truth


@mutant(
    "where very many people answer, none is worse than plain majority",
    "tagger/consensus/labels.py",
    kept_by="    if many.size:\n",
    broken="    if False:\n",
)
def test_with_very_many_votes_the_engine_is_not_behind_plain_majority():
    """Models of who errs how explain such votes well, and then name the wrong class."""
    behind = []
    for seed in range(3):
        tasks, workers, answers, truth = heard_alike(seed, clips=600, classes=4)
        found = labels.fit(tasks, workers, answers, 4).posterior
        behind.append(majority(tasks, answers, truth) - accuracy(found, truth))
    assert np.mean(behind) <= 0.003


@given(st.lists(st.lists(st.integers(0, 400), min_size=3, max_size=3), min_size=1, max_size=5))
def test_the_floor_leaves_distributions_and_changes_little_at_a_few_votes(tallies):
    votes = np.array(tallies, np.float64)
    posterior = np.tile([0.7, 0.2, 0.1], (len(votes), 1))
    found = labels.with_floor(posterior.copy(), votes)
    assert found.sum(1) == pytest.approx(np.ones(len(votes))) and (found >= 0).all()
    few = votes.sum(1) <= 20
    assert found[few] == pytest.approx(posterior[few], abs=0.01)
