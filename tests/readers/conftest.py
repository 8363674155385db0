"""Runs the programs that people read training formats with, in an environment of their own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).parent / "programs"
PYTHON = ROOT / "build" / "readers" / "bin" / "python"

collect_ignore = ["programs"]


@pytest.fixture
def read(tmp_path):
    """What a program prints after it has read what its arguments name."""
    if not PYTHON.exists():
        pytest.fail("the readers of training formats are not installed: make readers")

    def run(program, *arguments):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(home)}
        command = [PYTHON, PROGRAMS / f"{program}.py", *map(str, arguments)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(home)} | offline
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
