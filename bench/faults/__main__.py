"""`python -m bench.faults`: break a running site every second, then check that it kept its promises.

Exits 1 on any violation. With --mutants it runs on broken copies of the code, each of which it must detect.
"""

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType

from . import mutants, run
from .checker import Kind


def main(arguments: list[str]) -> int:
    parser = ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument(
        "--seconds", type=int, default=60, metavar="N", help="the number of faults, one every second"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="decides the order of faults")
    parser.add_argument(
        "--until",
        type=Kind,
        choices=list(Kind),
        help="check after every few faults, and stop when this kind is found",
    )
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="copy the site's logs there")
    parser.add_argument("--mutants", action="store_true", help="run on broken copies of the code")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _exit_in_order)  # so that the site is stopped too
    if options.mutants:
        return mutants.main(options.seconds, options.seed)
    print(f"seed {options.seed}, {options.seconds} faults", flush=True)
    outcome = run.run(options.seconds, options.seed, options.until, options.logs)
    run.report(outcome)
    return 1 if outcome.findings else 0


def _exit_in_order(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
