"""A release that somebody may ask for. Olga is its steward, and Rosa asks."""

import pytest

from accounts.models import Role, User
from tests.support.factors import give_factor
from tests.support.released import release, settle


@pytest.fixture
def olga(db):
    return give_factor(User.objects.create_user("olga", roles=[Role.ANNOTATOR, Role.OWNER]))


@pytest.fixture
def spring(juniper, share, olga):
    """A release of Olga's campaign."""
    juniper.owner = olga
    juniper.save()
    settle(share(juniper))
    return release("spring", juniper)


@pytest.fixture
def rosa(db):
    """Somebody with the roles of everyone, and a second factor."""
    return give_factor(User.objects.create_user("rosa"))
