"""The entry point for a web server."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagger.settings")

application = get_wsgi_application()

# What is loaded by now stays for good: looking it through time and again took a fifth of an archive's plan.
gc.collect()
gc.freeze()
