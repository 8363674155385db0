"""Measure how long an erasure takes from start to finish: `python -m tests.support.opt_out_times`.

OPT_OUTS people (100) with CLIPS clips each (100) leave a running site with a worker in turn, and as many
stay. A clip is one second of sound in the vault, answered by two volunteers, settled and released.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.site import ROOT, Site

OPT_OUTS, CLIPS = (int(os.environ.get(name, "100")) for name in ("OPT_OUTS", "CLIPS"))


def main():
    with tempfile.TemporaryDirectory(prefix="tagger-times-") as folder, Site(Path(folder) / "home") as site:
        code = f"from tests.support import opt_outs; opt_outs.measure({OPT_OUTS}, {CLIPS})"
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
        subprocess.run(command, cwd=ROOT, env=site.env, check=True)


if __name__ == "__main__":
    main()
