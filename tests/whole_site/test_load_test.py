"""A small run of the load test: its figures are right, and no answer that clients were told of is missing."""

import json
import os
import subprocess
import sys

import pytest

from bench.load import statements
from bench.load.measure import processor_seconds
from tests.support.site import ROOT


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """Of one run with two volunteers for a second; `text` is all that it printed.

    On so many tasks that most are untouched after it, however fast the machine is.
    """
    folder = tmp_path_factory.mktemp("load")
    size = ["--tasks", "4000", "--users", "2", "--seconds", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", *size],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"text": done.stdout}


def test_no_answer_is_lost_duplicated_or_over_collected(figures):
    assert figures["acknowledged"] >= figures["answers"] > 0
    assert {name for name, number in figures["kept"].items() if number} == set()


def test_no_request_is_refused(figures):
    assert (figures["refused"], figures["bare"]["refused"]) == ({}, {})


def test_an_answer_takes_processor_time_of_web_and_of_its_own_database(figures):
    spent = figures["processor_ms_per_answer"]
    assert spent["web"] > 0 and "database for web" in spent


def test_both_floors_are_measured_in_the_same_run(figures):
    assert figures["bare"]["pairs_per_second"] > 0
    assert "bare pair" in figures["text"] and "raw writes" in figures["text"]


def test_each_answer_is_one_commit_and_each_lending_one_more(figures):
    commits = [each for each in figures["statements"]["each"] if each["statement"] == "COMMIT"]
    assert sum(each["times"] for each in commits) <= 1.1 + 1e-9


def test_a_volunteer_who_answered_half_of_the_tasks_is_lent_others(figures):
    told = figures["next_clip"]
    assert told["answered"] == 2_000
    assert told["veteran"]["buffers"] > 0


def test_statements_that_differ_only_in_values_are_alike():
    one, other = (f"""UPDATE "a" SET "b" = '{n}' WHERE "id" IN ({n}, {n})""" for n in (1, 22))
    assert statements.alike(one) == statements.alike(other) == "UPDATE a SET b = ? WHERE id IN (…)"


def test_a_process_that_ended_took_no_processor_time():
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert processor_seconds([gone.pid]) == {gone.pid: 0}
