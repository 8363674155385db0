"""manage.py for one site, many times, without importing Django for each command.

Run as a program, it loads Django once and forks for each command that it reads from its input; `Commands`
starts it and talks to it.
"""

import os
import sys

from tests.support.forks import ForkServer, serve


class Commands(ForkServer):
    """Runs commands in the environment of one site, each in its own process."""

    def __init__(self, environment):
        super().__init__("tests.support.commands", environment)

    def run(self, *arguments):
        return self.ask(*map(str, arguments))


def command(*arguments):
    """In a fork: `manage.py` with these arguments."""
    sys.argv = ["manage.py", *arguments]
    return manage.main()


if __name__ == "__main__":
    import manage

    os.environ["DJANGO_SETTINGS_MODULE"] = "tagger.settings"
    import django
    from django.urls import get_resolver

    django.setup()
    get_resolver().url_patterns  # noqa: B018  (imports what most commands need)
    serve(command)
