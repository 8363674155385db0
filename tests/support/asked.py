"""Somebody asks for a release, in every state that this may come to; and how they call from there."""

from django.test import Client
from django.utils import timezone

from accounts.models import ProgramToken, Role, Scope
from datasets.access import asking, deciding, terms
from datasets.access.sealing import About
from datasets.access.standing import Standing
from datasets.models import AccessRequest
from tests.support.factors import confirm


def ask(person, release, name="Rosa Example", purpose="to train a wake word"):
    """As somebody does who accepts the present terms. A researcher is granted it at once."""
    return asking.ask(person, release, About(name, purpose), terms.VERSION, timezone.now())


def given_to(person, release):
    """The release, which a researcher asked for and may download."""
    ask(person, release)
    return release


def refused(rosa, spring, olga):
    deciding.refuse(ask(rosa, spring).pk, "What is it for?", olga, timezone.now())


def granted(rosa, spring, olga):
    return deciding.grant(ask(rosa, spring).pk, olga, timezone.now())


def ended(rosa, spring, olga):
    deciding.end(granted(rosa, spring, olga).pk, "You published clips.", olga, timezone.now())


def withdrawn(rosa, spring, olga):
    asking.withdraw(granted(rosa, spring, olga), timezone.now())


def old_terms(rosa, spring, olga):
    granted(rosa, spring, olga)
    AccessRequest.objects.update(terms="0")


def role_lost(rosa, spring, olga):
    rosa.roles = [*rosa.roles, Role.RESEARCHER]
    rosa.save()
    assert ask(rosa, spring).state == AccessRequest.State.GRANTED
    rosa.roles = [Role.CONTRIBUTOR, Role.ANNOTATOR]
    rosa.save()


def without_factor(rosa, spring, olga):
    granted(rosa, spring, olga)
    rosa.authenticator_set.all().delete()
    rosa.__dict__.pop("_factors", None)


WAYS = {
    Standing.NOT_ASKED: lambda rosa, spring, olga: None,
    Standing.WAITING: lambda rosa, spring, olga: ask(rosa, spring),
    Standing.GRANTED: granted,
    Standing.REFUSED: refused,
    Standing.ENDED: ended,
    Standing.WITHDRAWN: withdrawn,
    Standing.OLD_TERMS: old_terms,
    Standing.ROLE_LOST: role_lost,
    Standing.FACTOR_MISSING: without_factor,
}


def program(person, *scopes):
    token = ProgramToken.objects.create(person, scopes or [Scope.DOWNLOAD])[1]
    return Client(headers={"Authorization": f"Token {token}"})


def browser(person):
    client = Client()
    client.force_login(person)
    if person.has_factor:
        confirm(client, person)
    return client
