"""The format for speech synthesis has only clips whose speakers agreed to that, and as long as they do."""

import io
import json
import tarfile
from datetime import timedelta

import pytest
from django.test import Client

from accounts import consent
from accounts.models import Material, Purpose, User
from datasets.models import Release
from datasets.releases import formats, recalls
from datasets.releases.archive import Archive
from datasets.releases.formats.rows import NotRepresentable
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import refused, release, settle

WITHOUT = [Purpose.VOLUNTEERS, Purpose.RESEARCHERS]


@pytest.fixture
def speakers(db):
    """Wendy agreed to speech synthesis, Carl did not."""
    people = {}
    for name, purposes in (("wendy", [*WITHOUT, Purpose.SYNTHESIS]), ("carl", WITHOUT)):
        people[name] = User.objects.create_user(name)
        consent.give(people[name], Material.UTTERANCE, purposes, NOW, reference="on paper")
    return people


@pytest.fixture
def said(sentences, share, speakers):
    for person in speakers.values():
        settle(share(sentences, person), "turn on the lights")
    return release("said", sentences)


def sounds(one, form):
    with Archive(Release.objects.get(pk=one.pk), formats.find(form)) as archive:
        packed = b"".join(archive.stream())
    with tarfile.open(fileobj=io.BytesIO(packed)) as unpacked:
        return {
            each.name: unpacked.extractfile(each).read() for each in unpacked if each.name.endswith("wav")
        }


def ids_of(one, person):
    return set(one.rows.filter(task__clip__contributor=person).values_list("public_id", flat=True))


@mutant(
    "a format for speech synthesis has only clips whose speakers agreed to that",
    "datasets/releases/frozen.py",
    kept_by="        for_synthesis=row.synthesis == ReleaseRow.Synthesis.YES,\n",
    broken="        for_synthesis=True,\n",
)
def test_only_clips_that_were_agreed_to_are_in_the_format_for_synthesis(said, speakers):
    [wendys] = ids_of(said, speakers["wendy"])
    assert len(sounds(said, "deepspeech")) == 2
    [name] = sounds(said, "ljspeech")
    assert wendys in name


def test_a_release_of_which_nobody_agreed_to_synthesis_is_refused_in_that_format(sentences, share, speakers):
    settle(share(sentences, speakers["carl"]), "turn on the lights")
    with refused(NotRepresentable, "ljspeech can hold no clip"):
        sounds(release("said", sentences), "ljspeech")


@mutant(
    "a sound is not sent for speech synthesis once its speaker takes that back",
    "datasets/releases/frozen.py",
    kept_by='            AND {live.task_condition(purpose, "task.id") if purpose else "TRUE"}\n',
    broken="",
)
@mutant(
    "the feed recalls what may not be used for speech synthesis any more",
    "datasets/releases/recalls.py",
    kept_by="    not_for_synthesis = _end_synthesis(release)\n",
    broken="    not_for_synthesis = 0\n",
)
def test_what_is_not_agreed_to_any_more_is_silent_at_once_and_recalled_for_synthesis_alone(said, speakers):
    [before] = sounds(said, "ljspeech").values()
    consent.withdraw(speakers["wendy"], NOW, material=Material.UTTERANCE, purpose=Purpose.SYNTHESIS)
    [since] = sounds(said, "ljspeech").values()
    assert len(since) == len(before) and not any(since[44:]) and any(before[44:])
    assert all(any(sound[44:]) for sound in sounds(said, "deepspeech").values())
    recalls.publish(NOW + timedelta(days=1))
    feed = json.loads(Client().get("/api/v1/recalls/said.json").content)
    assert (feed["recalled"], set(feed["not_for_synthesis"])) == ([], ids_of(said, speakers["wendy"]))
    with refused(NotRepresentable, "ljspeech can hold no clip"):
        sounds(said, "ljspeech")
    assert len(sounds(said, "deepspeech")) == 2


def test_agreeing_again_does_not_bring_it_back(said, speakers):
    consent.withdraw(speakers["wendy"], NOW, material=Material.UTTERANCE, purpose=Purpose.SYNTHESIS)
    recalls.publish(NOW + timedelta(days=1))
    again = [*WITHOUT, Purpose.SYNTHESIS]
    consent.give(speakers["wendy"], Material.UTTERANCE, again, NOW, reference="on paper")
    recalls.publish(NOW + timedelta(days=2))
    with refused(NotRepresentable, "ljspeech can hold no clip"):
        sounds(said, "ljspeech")
