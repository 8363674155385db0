"""As `homes`, but it kills itself instead of taking the step of this number: a folder, a renamed file, a link
or a program."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support import homes

NAMES = ("mkdir", "replace", "rename", "symlink")


class Steps:
    def __init__(self, left):
        self.left = left

    def counted(self, call):
        def and_die(*words, **options):
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
            self.left -= 1
            return call(*words, **options)

        return and_die


def main(home, steps):
    counted = Steps(steps).counted
    for name in NAMES:
        setattr(os, name, counted(getattr(os, name)))
    subprocess.run = counted(subprocess.run)
    homes.main(home)


if __name__ == "__main__":
    homes.take(sys.argv[1:4])
    main(Path(sys.argv[4]), int(sys.argv[5]))
