"""Python programs for tests that kill one at each of many steps, without importing its libraries each time.

Run as a program, it imports the libraries that need no settings, and forks for each program that it reads
from its input. The fork imports the project itself, in the environment that the test gives.
"""

import json
import os
import runpy
import subprocess
import sys
import traceback
from importlib import import_module
from subprocess import CompletedProcess
from tempfile import TemporaryFile

import pytest

from tests.support.servers import ROOT

# Most of the time in which a program starts; each may be imported before Django has its settings.
LIBRARIES = (
    *("av", "celery.app.base", "celery.app.trace", "cryptography.fernet", "django.db.models"),
    *("django.core.management.commands.shell", "django.http", "django.template", "django.urls"),
    *("fido2.webauthn", "kombu", "numpy", "psycopg2", "pyarrow", "rapidfuzz", "redis", "requests"),
    *("scipy.sparse.linalg", "scipy.special", "soundfile", "soxr", "wordfreq", "zxcvbn"),
)


class ForkServer:
    """A program that calls `serve`, and has one fork at a time."""

    def __init__(self, module, *arguments, environment=None, files=()):
        self.server = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment,
            pass_fds=files,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *request):
        """What the fork that got these arguments ended with, and wrote."""
        self.begin(*request)
        return self.end()

    def begin(self, *request):
        self.request = request
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()

    def end(self):
        answer = self.server.stdout.readline()
        assert answer, "the server of forks ended"
        return CompletedProcess(self.request, **json.loads(answer))

    def close(self):
        self.server.stdin.close()
        self.server.wait(timeout=30)
        self.server.stdout.close()


class Forks(ForkServer):
    def __init__(self):
        super().__init__("tests.support.forks")

    def run(self, *arguments, env):
        """What `subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, …)` returns, with its output;
        the first argument is -c or a file."""
        return self.ask(list(map(str, arguments)), env)


@pytest.fixture(scope="session")
def python():
    """`python.run(…)`, see Forks."""
    forks = Forks()
    yield forks
    forks.close()


@pytest.fixture
def manage(python):
    """Runs manage.py in a process of its own; what it says."""

    def run(environment, *arguments, code=0):
        done = python.run("manage.py", *arguments, env=environment)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def serve(run):
    """Answers each line of JSON, the arguments of `run`, with the exit code and what was written."""
    for line in sys.stdin:
        with TemporaryFile() as out, TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                os._exit(in_child(run, json.loads(line), out, err))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            told = {"returncode": code, "stdout": written(out), "stderr": written(err)}
        print(json.dumps(told), flush=True)  # noqa: T201


def in_child(run, arguments, out, err):
    """The exit code."""
    with open(os.devnull) as nothing:
        for stream, number in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(stream.fileno(), number)
    try:
        code = run(*arguments)
    except SystemExit as ended:
        code = ended.code
    except Exception:  # noqa: BLE001  (a child must never return to the loop above)
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        sys.stderr.write(code + "\n")
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def written(file):
    file.seek(0)
    return file.read().decode()


def program(arguments, environment):
    os.environ.clear()
    os.environ.update(environment)
    execute(arguments)


def execute(arguments):
    """As Python does that gets these: -c or a file first."""
    if arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    for library in LIBRARIES:
        import_module(library)
    serve(program)
