"""The floor of a web request: the site's settings, but two bare views behind sessions and users alone."""

from tagger.settings import *  # noqa: F403  (Django's way of deriving settings)

ROOT_URLCONF = "bench.load.bare_views"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
# What the tables need, without what insists on a middleware of its own.
INSTALLED_APPS = ["tagger", "datasets", "accounts", "django.contrib.auth", "django.contrib.contenttypes"]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
