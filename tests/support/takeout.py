"""The download of a person's own data, for tests that look into one file of it."""

import io
import json
import zipfile

from accounts.models import User
from tagger.privacy import personal_data
from tests.conftest import NOW


def file_of(person, name):
    """A JSON file of what this person takes along now."""
    packed = b"".join(personal_data.archive(User.objects.get(pk=person.pk), NOW))
    return json.loads(zipfile.ZipFile(io.BytesIO(packed)).read(name))


def profile_of(person):
    return file_of(person, "profile.json")
