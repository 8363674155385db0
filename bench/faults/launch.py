"""The site's own launcher, changed so that it does not give up on a child that dies often."""

import sys

from tagger.local import __main__, supervisor


def main() -> int:
    # It gives up after five deaths of one child within this time, which is therefore negative here.
    supervisor.WITHIN_SECONDS = -1
    return __main__.main(["run"])


if __name__ == "__main__":
    sys.exit(main())
