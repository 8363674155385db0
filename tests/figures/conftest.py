"""The site's time zone is not UTC here, so that days are seen to be those of the site."""

import pytest

from accounts.models import Role, User
from tests.support import factors


@pytest.fixture(autouse=True)
def in_berlin(settings):
    settings.TIME_ZONE = "Europe/Berlin"


@pytest.fixture
def olga(db):
    """She runs campaigns."""
    return factors.give_factor(User.objects.create_user("olga", roles=[Role.ANNOTATOR, Role.OWNER]))
