"""What earlier versions stored is carried over, and no promise is broken on the way."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Consent, User
from tests.conftest import NOW
from tests.test_imports import database_in_plain

WORDS = "signed by Wilhelmina, third drawer"


@pytest.fixture
def at(transactional_db):
    """Takes the database to one app's state, and back to the newest at the end."""

    def to(*target):
        MigrationExecutor(connection).migrate([target])
        return MigrationExecutor(connection).loader.project_state([target]).apps

    yield to
    newest = MigrationExecutor(connection)
    newest.migrate(newest.loader.graph.leaf_nodes())


def test_what_a_consent_referred_to_in_plain_is_sealed_and_nothing_of_it_stays(at, own_home):
    wendy = User.objects.create_user("wendy")
    old = at("accounts", "0003_device").get_model("accounts", "Consent")
    old.objects.create(
        contributor_id=wendy.pk, material="wake-word", purpose="volunteers", at=NOW, reference=WORDS
    )
    at("accounts", "0004_sealed_reference_and_audit")
    stored = "\n".join(database_in_plain())
    assert WORDS not in stored and WORDS.encode().hex() not in stored
    assert Consent.objects.get().reference == WORDS
