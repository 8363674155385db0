"""`python -m tagger.local run` starts the site, `… restore FROM` restores a backup into its home, and
`… throwaway` starts temporary servers for tests."""

import io
import os
import sys
from functools import partial

from .refusal import StartRefused
from .restore import restore
from .run import run
from .throwaway import serve


def main(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):  # a terminal may lack letters that names of folders have
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    match arguments:
        case ["run"]:
            command = partial(run, os.environ)
        case ["restore", source]:
            command = partial(restore, os.environ, source)
        case ["throwaway"]:
            command = partial(serve)
        case _:
            print("usage: python -m tagger.local run | restore FROM | throwaway", file=sys.stderr)
            return 2
    try:
        command()
    except (StartRefused, OSError) as reason:
        print(f"tagger: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the launcher handles signals itself
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
