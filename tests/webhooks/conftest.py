"""Olga owns the campaign juniper; her server listens on this machine, which these tests allow."""

import ipaddress

import pytest

from accounts.models import Role, User
from datasets.clips import vault
from datasets.models import Campaign, Webhook
from datasets.webhooks import keeping
from tests.support import factors
from tests.support.receiver import receiving

ALL = list(Webhook.Event.values)


@pytest.fixture
def olga(db):
    vault.establish()
    return factors.give_factor(User.objects.create_user("olga", roles=[Role.ANNOTATOR, Role.OWNER]))


@pytest.fixture
def as_olga(client, olga):
    factors.log_in(client, olga)
    return client


@pytest.fixture
def hers(juniper, olga):
    Campaign.objects.filter(pk=juniper.pk).update(owner=olga)
    juniper.refresh_from_db()
    return juniper


@pytest.fixture
def allowed(settings):
    """As an operator who lets owners send to this machine."""
    settings.WEBHOOKS = ["localhost"]
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1")]


@pytest.fixture
def receiver(allowed):
    with receiving() as found:
        yield found


@pytest.fixture
def hook(hers, olga, receiver, now):
    return keeping.make(hers, receiver.url, ALL, olga, now)
