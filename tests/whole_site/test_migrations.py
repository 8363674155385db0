"""Migrations carry over what earlier versions stored, and break no promise."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts import keyring
from accounts.models import Consent, User
from tests.clips.test_imports import database_in_plain
from tests.conftest import NOW

WORDS = "signed by Wilhelmina, third drawer"


@pytest.fixture
def at(transactional_db):
    """Migrates the database to a state of one app, or to the newest; at the end it is the newest again."""

    def to(*target):
        executor = MigrationExecutor(connection)
        targets = [target] if target else executor.loader.graph.leaf_nodes()
        executor.migrate(targets)
        return executor.loader.project_state(targets).apps

    yield to
    to()


def test_plain_consent_references_are_encrypted_and_no_plain_copy_stays(at, own_home):
    wendy = User.objects.create_user("wendy")
    keyring.make(keyring.OLD_HASHES)  # sites of that version had it
    old = at("accounts", "0003_device").get_model("accounts", "Consent")
    old.objects.create(
        contributor_id=wendy.pk, material="wake-word", purpose="volunteers", at=NOW, reference=WORDS
    )
    at()
    stored = "\n".join(database_in_plain())
    assert WORDS not in stored and WORDS.encode().hex() not in stored
    assert Consent.objects.get().reference == WORDS
