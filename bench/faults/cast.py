"""Fills an empty site with campaigns, people and clips, and prints the people as JSON.

Runs in a process of that site: `manage.py shell -c "from bench.faults import cast; cast.make(…)"`.
"""

import json
import sys
from itertools import islice
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts import consent, contributors
from accounts.models import Material, ProgramToken, Purpose, Role, User
from datasets import campaigns
from datasets.clips import fingerprints, intake
from datasets.models import Campaign, Clip
from tagger.privacy import erasure
from tagger.welcome import pledge

from . import sounds

WAKE_WORD, TRANSCRIPTION = Campaign.Kind.WAKE_WORD, Campaign.Kind.TRANSCRIPTION
ANYONE: dict[str, Any] = {"language": "en", "needs_track_record": False}


def make(volunteers: int, speakers: int, clips: int) -> None:
    """Make `clips` for each campaign, and five more by each speaker, who can log in and withdraw them."""
    lengths = sounds.numbers()
    few = campaigns.create(
        slug="few", kind=WAKE_WORD, wake_word="few", min_annotations=1, max_annotations=1, **ANYONE
    )
    many = campaigns.create(
        slug="many", kind=WAKE_WORD, wake_word="many", min_annotations=3, max_annotations=5, **ANYONE
    )
    words = campaigns.create(slug="words", kind=TRANSCRIPTION, min_annotations=2, max_annotations=4, **ANYONE)
    shared = _speaker("speaker of all")
    for campaign in (few, many, words):
        _share(shared, campaign, list(islice(lengths, clips)))
    cast = {
        "volunteers": [_person(f"volunteer {number}") for number in range(volunteers)],
        "speakers": [
            _speaker_with_clips(number, many, list(islice(lengths, 5))) for number in range(speakers)
        ],
        "next": next(lengths),
    }
    sys.stdout.write(json.dumps(cast) + "\n")


def forget(collection: str, speaker: str) -> None:
    """Erase an imported speaker, who has no log-in, as the operator does."""
    erasure.erase_contributor(contributors.find_or_create(collection, speaker), timezone.now())
    sys.stdout.write("forgotten\n")


def _person(name: str) -> dict[str, Any]:
    person = User.objects.create_user(name, roles=[Role.CONTRIBUTOR, Role.ANNOTATOR], pledge=pledge.VERSION)
    _row, token = ProgramToken.objects.create(person)
    return {"id": person.pk, "token": token, "session": _session(person)}


def _speaker(name: str) -> User:
    person = User.objects.create_user(name, roles=[Role.CONTRIBUTOR])
    for material in Material:
        consent.give(person, material, [Purpose.VOLUNTEERS], timezone.now(), reference="fault test")
    return person


def _speaker_with_clips(number: int, campaign: Campaign, lengths: list[int]) -> dict[str, Any]:
    person = _speaker(f"speaker {number}")
    clips = _share(person, campaign, lengths)
    return {"id": person.pk, "session": _session(person), "clips": clips}


def _share(person: User, campaign: Campaign, lengths: list[int]) -> dict[int, int]:
    """The ids of the clips' rows, by the clips' lengths."""
    origin = intake.Origin(person, Clip.Source.BROWSER, "en")
    rows = {}
    for length in lengths:
        sound = intake.read(sounds.wav(length))
        intake.add(sound, campaign, origin, timezone.now())
        rows[length] = Clip.objects.get(samples_hash__in=fingerprints.hashes([sound.fingerprint])).pk
    return rows


def _session(person: User) -> str:
    client = Client()
    client.force_login(person, backend="accounts.backends.ByPseudonym")
    return str(client.cookies["sessionid"].value)
