"""As tagger/wsgi.py, without the check that needs the apps of the whole site."""

import gc

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
application.limit_of = lambda path: 2**16  # type: ignore[attr-defined]  # the server asks each site for it
gc.collect()
gc.freeze()
