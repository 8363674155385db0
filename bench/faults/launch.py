"""The site's own launcher, which here does not give up on a child that dies often: that is the point."""

import sys

from tagger.local import __main__, supervisor


def main() -> int:
    # It refuses after five ends of one child within a time. No five ends lie within less than none.
    supervisor.WITHIN_SECONDS = -1
    return __main__.main(["run"])


if __name__ == "__main__":
    sys.exit(main())
