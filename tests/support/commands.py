"""manage.py for one site, many times, without importing Django for each command.

Run as a program, it loads Django once and forks for each command that it reads from its input; `Commands`
starts it and talks to it.
"""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryFile

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


def serve():
    for line in sys.stdin:
        with TemporaryFile() as out, TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                os._exit(command(json.loads(line), out, err))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            told = {"returncode": code, "stdout": written(out), "stderr": written(err)}
        print(json.dumps(told), flush=True)  # noqa: T201


def command(arguments, out, err):
    """In the child: the exit code of `manage.py` with these arguments."""
    with open(os.devnull) as nothing:
        for stream, number in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(stream.fileno(), number)
    sys.argv = ["manage.py", *arguments]
    try:
        code = manage.main()
    except SystemExit as ended:
        code = ended.code
    except Exception:  # noqa: BLE001  (a child must never return to the loop above)
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def written(file):
    file.seek(0)
    return file.read().decode()


if __name__ == "__main__":
    import manage

    os.environ["DJANGO_SETTINGS_MODULE"] = "tagger.settings"
    import django
    from django.urls import get_resolver

    django.setup()
    get_resolver().url_patterns  # noqa: B018  (imports what most commands need)
    serve()
