"""`replay`: what stopping early would have cost and saved."""

import csv
import io
import json
import random

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.consensus.test_aggregate import manage

pytestmark = pytest.mark.thorough  # each replays votes many times

TASKS = 60


def crowd(accuracy=0.9, people=7, seed=1):
    """Rows of votes by people with this accuracy, and rows of the truth."""
    chance = random.Random(seed)
    truth = {f"t{n}": chance.choice(["no", "yes"]) for n in range(TASKS)}
    other = {"yes": "no", "no": "yes"}
    votes = [
        (task, f"w{person}", label if chance.random() < accuracy else other[label])
        for task, label in truth.items()
        for person in range(people)
    ]
    return votes, list(truth.items())


@pytest.fixture
def replay(tmp_path):
    """Runs the command and returns what it printed."""

    def run(votes, truth, **options):
        write(tmp_path / "votes.csv", ["task", "worker", "label"], votes)
        write(tmp_path / "gold.csv", ["task", "label"], truth)
        printed = io.StringIO()
        wanted = {"kind": "label", "confidence": 0.9, "seed": 1} | options
        call_command("replay", tmp_path / "votes.csv", tmp_path / "gold.csv", stdout=printed, **wanted)
        return json.loads(printed.getvalue())

    return run


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def test_it_prints_the_four_figures(replay):
    assert list(replay(*crowd())) == ["accuracy", "votes_per_task", "decided", "tasks"]


def test_a_careful_crowd_needs_fewer_votes_than_it_gave(replay):
    found = replay(*crowd(0.95))
    assert found["tasks"] == TASKS
    assert found["accuracy"] > 0.9
    assert 2 <= found["votes_per_task"] < 5
    assert found["decided"] > TASKS * 0.8


def test_the_same_seed_gives_the_same_figures_in_any_order_of_rows(replay):
    votes, truth = crowd(0.8)
    before = replay(votes, truth)
    assert replay(votes[::-1], truth[::-1]) == before
    assert replay(votes + votes[:50], truth + truth[:5]) == before


def test_another_seed_gives_another_order_of_votes(replay):
    votes, truth = crowd(0.7)
    assert len({json.dumps(replay(votes, truth, seed=seed)) for seed in range(5)}) > 1


def test_no_task_takes_more_than_the_most_or_fewer_than_the_least(replay):
    votes, truth = crowd(0.6)
    assert replay(votes, truth, min=3, max=3, confidence=1.0)["votes_per_task"] == 3
    assert 2 <= replay(votes, truth, max=4)["votes_per_task"] <= 4


def test_more_confidence_takes_more_votes(replay):
    votes, truth = crowd(0.8)
    little, much = (replay(votes, truth, confidence=p)["votes_per_task"] for p in (0.6, 0.99))
    assert little < much


def test_tasks_without_truth_and_tasks_without_votes_are_left_out(replay):
    votes, truth = crowd()
    found = replay([*votes, ("new", "w1", "yes")], [*truth[:20], ("unheard", "no")])
    assert found["tasks"] == 20


def test_a_truth_without_votes_is_accepted(replay):
    votes, truth = crowd(1.0)
    found = replay(votes, [*truth[1:], (truth[0][0], "noise")])
    assert found["accuracy"] <= 1 - 1 / TASKS


WRONG = {
    "kind": ({"kind": "transcript"}, "--kind transcript cannot be replayed"),
    "confidence": ({"confidence": 1.5}, "the confidence is 1.5"),
    "not a number": ({"confidence": float("nan")}, "the confidence is nan"),
    "most below least": ({"min": 4, "max": 3}, "fewer than the least"),
    "least": ({"min": 0}, "the least number of votes is 0"),
    "seed": ({"seed": -1}, "--seed is -1"),
}


@pytest.mark.parametrize("options, reason", WRONG.values(), ids=WRONG.keys())
def test_an_invalid_option_is_refused(replay, options, reason):
    with pytest.raises(CommandError, match=reason):
        replay(*crowd(), **options)


def test_faults_in_either_table_are_named_with_their_file(replay):
    votes, truth = crowd()
    with pytest.raises(CommandError, match=r"votes\.csv, line 422: the worker is empty"):
        replay([*votes, ("t1", "", "yes")], truth)
    with pytest.raises(CommandError, match=r"gold\.csv, line 62: the label is empty"):
        replay(votes, [*truth, ("t1", "")])


def test_two_truths_of_one_task_are_refused(replay):
    votes, truth = crowd()
    with pytest.raises(CommandError, match=r"gold\.csv: the task t0 is \w+ on one line and maybe on another"):
        replay(votes, [*truth, ("t0", "maybe")])


def test_truth_of_other_tasks_only_is_refused(replay):
    with pytest.raises(CommandError, match="none of the 1 tasks with truth has a vote"):
        replay(crowd()[0], [("elsewhere", "yes")])


def test_it_prints_json_and_nothing_else_without_any_server(tmp_path):
    votes, truth = crowd()
    write(tmp_path / "votes.csv", ["task", "worker", "label"], votes)
    write(tmp_path / "gold.csv", ["task", "label"], truth)
    options = ["--kind", "label", "--confidence", "0.9", "--seed", "7", "--min", "2", "--max", "5"]
    done = manage(tmp_path, "replay", "votes.csv", "gold.csv", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["tasks"] == TASKS


def test_a_fault_ends_in_exit_code_one_and_prints_nothing(tmp_path):
    options = ["--kind", "label", "--confidence", "0.9", "--seed", "7"]
    done = manage(tmp_path, "replay", "votes.csv", "gold.csv", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: votes.csv: No such file or directory\n"
