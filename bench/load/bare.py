"""The floor of a web request: the site's settings, with two bare views and only sessions and users."""

from tagger.settings import *  # noqa: F403  (Django's way of deriving settings)

ROOT_URLCONF = "bench.load.bare_views"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
# The apps that the tables need, without those that require their own middleware.
INSTALLED_APPS = [
    *("tagger", "datasets", "accounts", "django.contrib.auth", "django.contrib.contenttypes"),
    *("bench.load.bare_apps.Accounts", "bench.load.bare_apps.SecondFactors"),
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
