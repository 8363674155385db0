"""As tagger/wsgi.py, without the check that needs the apps of the whole site."""

import gc

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
gc.collect()
gc.freeze()
