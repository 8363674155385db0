"""manage.py for one site, many times, without importing Django for each command.

Run as a program, it loads Django once and forks for each command that it reads from its input; `Commands`
starts it and talks to it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

from tests.support.forks import serve

ROOT = Path(__file__).resolve().parents[2]


class Commands:
    """Runs commands in the environment of one site, each in its own process."""

    def __init__(self, environment):
        self.program = subprocess.Popen(
            [sys.executable, "-m", "tests.support.commands"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments):
        self.program.stdin.write(json.dumps([str(each) for each in arguments]) + "\n")
        self.program.stdin.flush()
        answer = self.program.stdout.readline()
        assert answer, "the program for commands ended"
        return CompletedProcess(arguments, **json.loads(answer))

    def close(self):
        self.program.stdin.close()
        self.program.wait(timeout=30)
        self.program.stdout.close()


def command(*arguments):
    """In a fork: `manage.py` with these arguments."""
    sys.argv = ["manage.py", *arguments]
    return manage.main()


if __name__ == "__main__":
    import manage

    os.environ["DJANGO_SETTINGS_MODULE"] = "tagger.settings"
    import django
    from django.urls import get_resolver

    django.setup()
    get_resolver().url_patterns  # noqa: B018  (imports what most commands need)
    serve(command)
