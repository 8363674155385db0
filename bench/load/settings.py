"""The site's settings, with the load test's commands added."""

from tagger.settings import *  # noqa: F403  (Django's way of deriving settings)
from tagger.settings import INSTALLED_APPS as SITE_APPS

INSTALLED_APPS = [*SITE_APPS, "bench.load"]
