"""The cast: Alice shares clips, Bea and six more volunteer, Rita reviews, Sam signed up and did nothing."""

from datetime import UTC, datetime
from itertools import count

import pytest

from accounts import consent
from accounts.models import Material, Purpose, Role, User
from datasets import campaigns, intake
from datasets.models import Campaign, Clip, Task
from tests import sounds

pytest_plugins = ["tests.site"]

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    """Every test has a vault and master keys of its own."""
    settings.MASTER_KEYS = tmp_path / "keys"
    vault = settings.STORAGES["vault"] | {"OPTIONS": {"location": tmp_path / "vault"}}
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"vault": vault, "staticfiles": plain}
    return tmp_path


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def alice(db):
    """A contributor who lets volunteers hear and researchers have what she shares."""
    person = User.objects.create_user("alice")
    for material in Material:
        consent.give(person, material, [Purpose.VOLUNTEERS, Purpose.RESEARCHERS], NOW, reference="on paper")
    return person


@pytest.fixture
def volunteers(db):
    return [User.objects.create_user(name) for name in ("bea", "carl", "dora", "eli", "fay", "gus", "hana")]


@pytest.fixture
def bea(volunteers):
    return volunteers[0]


@pytest.fixture
def carl(volunteers):
    return volunteers[1]


@pytest.fixture
def rita(db):
    return User.objects.create_user("rita", roles=[Role.ANNOTATOR, Role.REVIEWER])


@pytest.fixture
def sam(db):
    return User.objects.create_user("sam", roles=[])


@pytest.fixture
def juniper(db):
    """A wake-word campaign by the site's defaults: settled above three quarters, from 2 to 7 votes."""
    kind = Campaign.Kind.WAKE_WORD
    return campaigns.create(slug="juniper", kind=kind, language="en", wake_word="hey juniper")


@pytest.fixture
def sentences(db):
    return campaigns.create(slug="sentences", kind=Campaign.Kind.TRANSCRIPTION, language="en")


@pytest.fixture
def share(alice):
    """Shares one more clip, unlike all before it, and gives its task."""
    different = count(1)

    def one_more(campaign: Campaign, contributor: User = alice) -> Task:
        samples = sounds.tone(0.5, hertz=1000 + 10 * next(different))
        sound = intake.read(sounds.in_format("wav", samples))
        origin = intake.Origin(contributor, Clip.Source.BROWSER, campaign.language)
        assert intake.add(sound, campaign, origin, NOW)
        return Task.objects.get(campaign=campaign, clip__samples_sha256=sound.fingerprint)

    return one_more
