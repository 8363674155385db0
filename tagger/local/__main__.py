"""`python -m tagger.local run` starts the site, `… throwaway` temporary servers for tests."""

import os
import sys

from .refusal import StartRefused
from .run import run
from .throwaway import serve


def main(arguments: list[str]) -> int:
    commands = {"run": lambda: run(os.environ), "throwaway": serve}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"usage: python -m tagger.local {'|'.join(commands)}", file=sys.stderr)
        return 2
    try:
        commands[arguments[0]]()
    except StartRefused as reason:
        print(f"tagger: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the launcher handles signals itself
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
