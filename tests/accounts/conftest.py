"""Somebody who opens the page “What you share”."""

import pytest
from django.urls import reverse

from accounts.models import User
from tests.support.consent_page import PAGE, Form


@pytest.fixture
def wendy(db):
    return User.objects.create_user("wendy")


@pytest.fixture
def here(client, wendy):
    client.force_login(wendy)
    return client


@pytest.fixture
def tick(here):
    """Opens the page, ticks these boxes and sends the form."""

    def given(*boxes, language="en"):
        page = here.get(PAGE, {"language": language}).content.decode()
        fields = Form(page, reverse("give_consent")).hidden() | dict.fromkeys(boxes, "on")
        return here.post(reverse("give_consent"), fields, follow=True)

    return given


@pytest.fixture
def withdraw(here):
    """Presses the button next to a consent, or the one that withdraws everything."""

    def pressed(**which):
        return here.post(reverse("withdraw_consent"), which, follow=True)

    return pressed
