"""`python -m bench.faults`: break a running site each second, then hold what was promised against what is.

Exits 1 on any violation. With --mutants: does it notice when what keeps a promise is gone?
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
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="faults, one each second")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the order of faults")
    parser.add_argument(
        "--until",
        type=Kind,
        choices=list(Kind),
        help="check after every few faults, and end when this was found",
    )
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep there what the site's parts said")
    parser.add_argument("--mutants", action="store_true", help="run on broken copies of this tree")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _end_in_order)  # the site is not to outlive this process
    if given.mutants:
        return mutants.main(given.seconds, given.seed)
    print(f"seed {given.seed}, {given.seconds} faults", flush=True)
    outcome = run.run(given.seconds, given.seed, given.until, given.logs)
    run.tell(outcome)
    return 1 if outcome.findings else 0


def _end_in_order(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
