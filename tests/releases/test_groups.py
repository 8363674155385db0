"""Columns that would tell a few people apart are left unsaid, or the release is refused."""

import json

import pytest

from accounts import consent
from accounts.models import Material, Purpose, User
from datasets.models import Clip, Release
from datasets.releases import formats, groups
from datasets.releases.archive import Archive
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import refused, release, settle


@pytest.fixture(autouse=True)
def default_groups(settings, small_groups):
    settings.RELEASE_LEAST_GROUP = {"researchers": 3, "public": 10}


@pytest.fixture
def people(db):
    made = []
    for number in range(6):
        person = User.objects.create_user(f"speaker-{number}")
        for material in Material:
            consent.give(person, material, material.purposes, NOW, reference="on paper")
        made.append(person)
    return made


def soft_labels(one):
    with Archive(one, formats.find("precise")) as archive:
        for entry in archive.entries():
            content = b"".join(entry.chunks)
            if entry.path == "soft-labels.jsonl":
                return [json.loads(line) for line in content.splitlines()]
    raise AssertionError("no soft labels")


@mutant(
    "a source that tells fewer people apart than allowed is not said",
    "datasets/releases/groups.py",
    kept_by="            release.rows.update(**{column: _empty(release, column)})\n",
    broken="",
)
def test_a_source_of_few_people_is_left_unsaid_for_all(juniper, share, people):
    for person in people:
        settle(share(juniper, person))
    Clip.objects.filter(contributor__in=people[:2]).update(source=Clip.Source.DEVICE)
    one = release("spring", juniper)
    assert one.figures["coarsened"] == ["source"]
    assert {row["source"] for row in soft_labels(one)} == {""}


def test_sources_of_enough_people_are_said(juniper, share, people):
    for person in people:
        settle(share(juniper, person))
    Clip.objects.filter(contributor__in=people[:3]).update(source=Clip.Source.DEVICE)
    assert {row["source"] for row in soft_labels(release("spring", juniper))} == {"device", "browser"}


@mutant(
    "a language that tells fewer people apart than allowed is not released",
    "datasets/releases/groups.py",
    kept_by='    for number, people in _too_small(release, "subset", min(few, everyone)):\n',
    broken="    for number, people in list[tuple[str, int]]():\n",
)
def test_a_kind_of_few_people_refuses_the_release_by_name_and_leaves_nothing(
    juniper, sentences, share, people
):
    for person in people:
        settle(share(juniper, person))
    settle(share(sentences, people[0]), "turn on the lights")
    with refused(groups.TellsApart, "subset 'transcription en' would tell 1 contributors apart, at least 3"):
        release("spring", juniper, sentences)
    assert not Release.objects.exists()


def test_a_public_release_needs_ten(juniper, sentences, share, people):
    for person in people:
        settle(share(juniper, person))
    for person in people[:4]:
        settle(share(sentences, person), "turn on the lights")
    assert release("named", juniper, sentences).slug == "named"
    with refused(groups.TellsApart, "would tell 4 contributors apart, at least 10"):
        release("open", juniper, sentences, audience=Purpose.PUBLIC)


def test_what_all_share_tells_nobody_apart(juniper, share, people):
    settle(share(juniper, people[0]))
    assert release("spring", juniper).figures["coarsened"] == []


def test_a_rare_licence_is_covered_by_that_of_the_whole(juniper, share, people):
    for person in people:
        settle(share(juniper, person))
    Clip.objects.filter(contributor=people[0]).update(licence="CC-BY-4.0")
    one = release("spring", juniper)
    assert (one.licence, one.figures["coarsened"]) == ("CC-BY-4.0", [])
    assert {row["licence"] for row in soft_labels(one)} == {"CC-BY-4.0"}
