"""A program that says what it got from the process that started it."""

import json
import os
import signal
import sys
from pathlib import Path


def main():
    told = {
        "arguments": sys.argv,
        "files": {number: os.readlink(f"/proc/self/fd/{number}") for number in open_numbers()},
        "handlers": [int(number) for number in signal.valid_signals() if callable(signal.getsignal(number))],
        "wakeup": signal.set_wakeup_fd(-1),
        "blocked": list(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
        "leads a session": os.getsid(0) == os.getpid(),
        "name": Path("/proc/self/comm").read_text().strip(),
    }
    print(json.dumps(told))  # noqa: T201
    sys.exit("and ends with a reason")


def open_numbers():
    """Without the one of the list itself."""
    return [number for number in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{number}")]


if __name__ == "__main__":
    main()
