"""Where somebody comes after logging in."""

import pytest
from django.test import Client

from accounts.models import Role
from tagger.welcome.landing import is_here_for_releases
from tests.support.asked import ask
from tests.support.people import PASSWORD


@pytest.mark.parametrize(
    ("fields", "asks", "lands"),
    [
        ({"roles": [Role.RESEARCHER]}, False, True),
        ({"roles": [Role.RESEARCHER, Role.ANNOTATOR]}, False, False),
        ({}, True, True),
        ({"pledge": "1"}, True, False),
        ({}, False, False),
    ],
)
def test_who_is_here_for_releases_alone_comes_to_them(fields, asks, lands, rosa, spring):
    for name, value in fields.items():
        setattr(rosa, name, value)
    rosa.save()
    if asks:
        ask(rosa, spring)
    assert is_here_for_releases(rosa) == lands


@pytest.mark.parametrize(
    ("roles", "address"), [([Role.ANNOTATOR], "/tag/"), ([Role.RESEARCHER], "/releases/")]
)
def test_logging_in_leads_there(roles, address, bea):
    bea.roles = roles
    bea.set_password(PASSWORD)
    bea.save()
    answer = Client().post("/accounts/login/", {"login": "bea", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, address)
