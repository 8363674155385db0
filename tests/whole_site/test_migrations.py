"""What earlier versions stored is carried over, and no promise is broken on the way."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Consent, User
from tests.clips.test_imports import database_in_plain
from tests.conftest import NOW

WORDS = "signed by Wilhelmina, third drawer"


@pytest.fixture
def at(transactional_db):
    """Takes the database to one app's state, or to the newest of all, as it does at the end."""

    def to(*target):
        executor = MigrationExecutor(connection)
        targets = [target] if target else executor.loader.graph.leaf_nodes()
        executor.migrate(targets)
        return executor.loader.project_state(targets).apps

    yield to
    to()


def test_what_a_consent_referred_to_in_plain_is_sealed_and_nothing_of_it_stays(at, own_home):
    wendy = User.objects.create_user("wendy")
    old = at("accounts", "0003_device").get_model("accounts", "Consent")
    old.objects.create(
        contributor_id=wendy.pk, material="wake-word", purpose="volunteers", at=NOW, reference=WORDS
    )
    at()
    stored = "\n".join(database_in_plain())
    assert WORDS not in stored and WORDS.encode().hex() not in stored
    assert Consent.objects.get().reference == WORDS
