"""The site's own settings, and the commands of the load test beside its own."""

from tagger.settings import *  # noqa: F403  (Django's way of deriving settings)
from tagger.settings import INSTALLED_APPS as OF_THE_SITE

INSTALLED_APPS = [*OF_THE_SITE, "bench.load"]
