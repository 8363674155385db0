"""The site's time zone is not UTC here, so that days are seen to be those of the site."""

import pytest


@pytest.fixture(autouse=True)
def in_berlin(settings):
    settings.TIME_ZONE = "Europe/Berlin"
