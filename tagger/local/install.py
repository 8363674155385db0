"""Creates .venv from one requirements file: `python3 tagger/local/install.py local|dev|bench`.

With `readers` it creates build/readers instead, for programs that read what the site exports: one of their
packages is called `datasets`, like one of ours.

It runs under the machine's Python before anything is installed, so it uses the standard library alone. Its
syntax must let an old Python get far enough to report that it is too old; so some annotations are quoted.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

MIN_PYTHON = (3, 11)
MIN_FREE_BYTES = 1000 * 10**6

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed.json")
LOG = os.path.join(ROOT, ".venv.log")

EXTRAS = ["local", "dev", "bench"]
READERS = "readers"

# What pip and venv write when they fail, and what it means; the first match is reported. Without a network
# pip also says that it found no version, so the network comes before the platform.
REASONS = [
    (r"No space left on device|Disk quota exceeded", "the disk is full"),
    (
        r"ensurepip is not available|No module named '?(venv|ensurepip)",
        "this Python has no venv module; install it (on Debian and Ubuntu: apt install python3-venv)",
    ),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError", "this machine does not trust the package index's certificate"),
    (
        r"NewConnectionError|Failed to establish a new connection|ProxyError|ConnectTimeout|ReadTimeout"
        r"|Temporary failure in name resolution|Network is unreachable",
        "no connection to the package index",
    ),
    (r"DO NOT MATCH THE HASHES", "a downloaded package is not the one in the requirements file"),
    (
        r"No matching distribution found for ([^ \n]+)",
        "no ready-made package of {0} for this machine (Python {python}, {machine}) was found:"
        " either there is none, and building it needs a compiler, or the package index cannot be reached",
    ),
    (r"Permission denied", "no permission to write a file"),
]


class Failed(Exception):
    """The installation failed; the message says why."""


def main(extra: str) -> None:
    if extra == READERS:
        install_into(os.path.join(ROOT, "build", "readers"))
    if sys.version_info < MIN_PYTHON:
        raise Failed(f"Python 3.11 or newer is needed, but {sys.executable} is {sys.version.split()[0]}")
    if is_installed(extra):
        return
    os.makedirs(os.path.dirname(VENV), exist_ok=True)
    with lock():
        if not is_installed(extra):  # another `make` may have done it while this one waited
            install(extra)


def is_installed(extra: str) -> bool:
    """Whether this requirements file, or a later one, which includes it, is installed."""
    try:
        with open(STAMP) as file:
            found = json.load(file)
    except (FileNotFoundError, ValueError):
        return False
    later = EXTRAS[EXTRAS.index(extra) :] if extra in EXTRAS else [extra]
    return os.path.exists(PYTHON) and any(found == expected_stamp(name) for name in later)


def install_into(folder: str) -> None:
    """Use another folder than .venv."""
    global VENV, PYTHON, STAMP, LOG
    VENV = folder
    PYTHON = os.path.join(VENV, "bin", "python")
    STAMP = os.path.join(VENV, "installed.json")
    LOG = VENV + ".log"


def expected_stamp(extra: str) -> "dict[str, str]":
    return {"requirements": digest(extra), "python": os.path.realpath(PYTHON)}


def install(extra: str) -> None:
    """Create .venv if necessary and install the packages. Raises Failed."""
    if os.path.exists(STAMP):
        os.unlink(STAMP)  # if interrupted from here on, the next run installs again
    check_space()
    folder = os.path.relpath(VENV, ROOT)
    print(f"Installing packages into {folder}; the first time this may take a few minutes …", flush=True)
    with open(LOG, "w") as log:
        if not is_usable():
            call(log, [sys.executable, "-m", "venv", "--clear", VENV])
        options = [
            "--require-hashes",
            "--only-binary",
            ":all:",
            # For ovos-backend-client and mlcroissant in the tests: plain Python, published only as source.
            "--no-binary",
            "combo-lock,jsonpath-rw",
            "--no-input",
            "--no-color",
            "--progress-bar",
            "off",
        ]
        if extra == READERS:
            options.append("--no-deps")  # the file has them all but PyTorch, which is left out on purpose
        call(log, [PYTHON, "-m", "pip", "install", *options, "-r", requirements(extra)])
    stamp(extra)


def stamp(extra: str) -> None:
    """Record that the packages are installed, once they are on disk."""
    os.sync()
    # By its path: this script must also run where the package `tagger` cannot be imported.
    durable = runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "durable.py"))
    durable["write_record"](pathlib.Path(STAMP), expected_stamp(extra))


def is_usable() -> bool:
    """Whether .venv has pip and a new enough Python; it may be incomplete, or its Python may be gone."""
    if not os.path.exists(PYTHON):
        return False
    probe = f"import sys, pip; sys.exit(sys.version_info < {MIN_PYTHON})"
    return subprocess.call([PYTHON, "-c", probe], stderr=subprocess.DEVNULL) == 0


def call(log: IO[str], command: "list[str]") -> None:
    """Run the command with its output in the log. Raises Failed if it fails."""
    settings = {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        status = subprocess.call(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, **settings},
        )
    except OSError as error:
        raise Failed(f"{command[0]} cannot be run: {error.strerror}") from error
    if status != 0:
        raise Failed(f"{reason()} (log: {LOG})")


def reason() -> str:
    """Why the last command failed, from its log."""
    with open(LOG, errors="replace") as file:
        text = file.read()
    for pattern, meaning in REASONS:
        found = re.search(pattern, text)
        if found:
            python = "{}.{}".format(*sys.version_info)
            return meaning.format(*found.groups(), python=python, machine=os.uname().machine)
    lines = [line for line in text.splitlines() if line.strip()]
    return "pip failed: {}".format(lines[-1] if lines else "without a message")


def check_space() -> None:
    free = shutil.disk_usage(ROOT).free
    if free < MIN_FREE_BYTES:
        message = "the disk of {} has only {} MB free; at least {} MB are needed"
        raise Failed(message.format(ROOT, free // 10**6, MIN_FREE_BYTES // 10**6))


@contextlib.contextmanager
def lock() -> "Iterator[None]":
    """Only one installation into a folder at a time: two sites may be started from one clone."""
    above = os.open(os.path.dirname(VENV), os.O_RDONLY)  # the folder itself may not exist yet
    try:
        try:
            fcntl.flock(above, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            folder = os.path.relpath(VENV, ROOT)
            print(f"Waiting for another installation into {folder} to finish …", flush=True)
            fcntl.flock(above, fcntl.LOCK_EX)
        yield
    finally:
        os.close(above)


def requirements(extra: str) -> str:
    return os.path.join(ROOT, "requirements", f"{extra}.txt")


def digest(extra: str) -> str:
    with open(requirements(extra), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit("Installation interrupted; the next start repeats it.")
    except (Failed, OSError) as error:
        sys.exit(f"Installation failed: {error}")
