"""The entry point for a web server."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from . import site_check

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagger.settings")

application = get_wsgi_application()
site_check.run()

from . import bodies  # noqa: E402  (it needs the models)

# `make run`'s server receives no more of a body than the site would read.
application.limit_of = bodies.limit_of  # type: ignore[attr-defined]

# What is loaded so far stays loaded, so the garbage collector need not scan it: that took a fifth of the time
# of planning an archive.
gc.collect()
gc.freeze()
