"""Commands on terminals that are not UTF-8: what they cannot show is escaped, without a traceback."""

import os
import subprocess
import sys

import pytest

from tests.support.mutants import mutant
from tests.support.site import ROOT

PLAIN = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
TERMINALS = (
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "utf-8"},
    {"LANG": "C"},
    PLAIN,
)
VOTES = "task,worker,label\n1,Ünver,да\n1,ünver,нет\n2,Ünver,да\n"


def run(arguments, terminal, **environment):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=inherited | {"DATABASE_URL": "", "REDIS_URL": ""} | environment | terminal,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


@mutant(
    "a terminal that lacks a letter gets an escape and no traceback",
    "manage.py",
    kept_by='            stream.reconfigure(errors="backslashreplace")\n',
    broken="            pass\n",
)
@pytest.mark.thorough
@pytest.mark.parametrize("terminal", TERMINALS, ids=lambda each: "-".join(each.values()))
def test_names_that_a_terminal_lacks_are_escaped(terminal, tmp_path):
    votes, output = tmp_path / "größe 你好.csv", tmp_path / "aus 你好.csv"
    votes.write_text(VOTES, encoding="utf-8")
    done = run(["manage.py", "aggregate", votes, "--kind", "label", "--output", output], terminal)
    assert done.returncode == 0, done.stderr
    assert b"2 tasks from 3 votes" in done.stdout and b"differ from others" in done.stdout
    assert b"Traceback" not in done.stderr and b"Unicode" not in done.stderr
    assert "да" in output.read_text(encoding="utf-8")  # files are UTF-8 whatever the terminal is


def test_a_name_that_is_no_text_at_all_is_escaped(tmp_path):
    votes = os.path.join(os.fsencode(tmp_path), b"votes \xff.csv")
    with open(votes, "w", encoding="utf-8") as file:
        file.write(VOTES)
    said = subprocess.run(
        [sys.executable, "manage.py", "aggregate", votes, "--kind", "label", "--output", votes + b".out"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    assert said.returncode == 0 and b"votes \\udcff.csv.out" in said.stdout


SAY = """
from tagger.local import __main__, run
__main__.run = lambda environment: run.say("Data is stored in gr\\u00f6\\u00dfe \\u4f60")
raise SystemExit(__main__.main(["run"]))
"""


@mutant(
    "make run starts from a terminal that is not UTF-8",
    "tagger/local/__main__.py",
    kept_by='            stream.reconfigure(errors="backslashreplace")\n',
    broken="            pass\n",
)
@pytest.mark.parametrize("terminal", TERMINALS, ids=lambda each: "-".join(each.values()))
def test_make_run_says_where_its_data_is_on_any_terminal(terminal):
    done = run(["-c", SAY], terminal)
    assert done.returncode == 0 and b"Data is stored in gr" in done.stdout, done.stderr
