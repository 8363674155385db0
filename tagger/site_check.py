"""Before any process of the site works: database, keys and vault must belong together."""

import logging
import sys

from django.core.management import CommandError, call_command
from django.db import DatabaseError, InterfaceError

logger = logging.getLogger(__name__)

# With this exit code a worker of gunicorn says that trying again is useless (its WORKER_BOOT_ERROR).
CANNOT_START = 3


def run() -> None:
    """End the process with one line if they do not."""
    try:
        call_command("check_site")
    except CommandError as error:
        print(f"tagger: {error}", file=sys.stderr, flush=True)  # noqa: T201
        raise SystemExit(CANNOT_START) from None
    except (DatabaseError, InterfaceError) as error:
        # Nothing is read or written without the database either, and what destroys checks again.
        logger.warning("keys and vault are not checked, as the database does not answer: %s", error)
