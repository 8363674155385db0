"""`python -m bench.load --tasks N --users K`: a site of N tasks, K volunteers, and the cost of an answer."""

import argparse
import json
import sys
from typing import Any

from bench.load import report
from bench.load.trial import Size, run
from tagger.local.refusal import StartRefused
from tagger.local.supervisor import StopRequested


def main(arguments: list[str]) -> int:
    size = _size(arguments)
    try:
        figures = run(size)
    except (StartRefused, StopRequested) as reason:
        print(f"load test: {reason or 'stopped'}", file=sys.stderr)
        return 1
    print(report.tables(figures))
    print(_line(figures))
    return 0 if report.is_sound(figures) else 1


def _line(figures: dict[str, Any]) -> str:
    """One line of JSON, with null for NaN, which JSON does not have."""
    return json.dumps(json.loads(json.dumps(figures), parse_constant=lambda _: None))


def _size(arguments: list[str]) -> Size:
    parser = argparse.ArgumentParser(prog="load test", description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30.0, help="of measuring; floors take a third")
    parser.add_argument(
        "--answered",
        type=int,
        default=100_000,
        help="tasks that one person has answered before, at most half of all",
    )
    options = parser.parse_args(arguments)
    if options.tasks < 100 or options.users < 1 or options.seconds <= 0:
        parser.error("at least 100 tasks, one user and more than 0 seconds")
    return Size(options.tasks, options.users, options.seconds, min(options.answered, options.tasks // 2))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
