"""The record for which a DOI may be made: a description without sound."""

import json

import pytest

from datasets.releases.formats import summary
from datasets.releases.formats.zenodo import zenodo
from tests.support.described import FULL, RELEASES
from tests.support.mutants import mutant


def record(about):
    return json.loads(zenodo(about, summary.summarise([], lambda row: None)))


@mutant(
    "a DOI is made for a description alone, never for sound",
    "datasets/releases/formats/zenodo.py",
    kept_by='"files": {"enabled": False}',
    broken='"files": {"enabled": True}',
)
@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
def test_the_record_has_no_files_and_says_why(about):
    made = record(about)
    assert made["files"] == {"enabled": False}
    [why] = made["metadata"]["additional_descriptions"]
    assert "may withdraw them at any time" in why["description"] and about.recalls in why["description"]


@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
def test_the_record_has_what_the_archive_asks_for(about):
    """The required fields of InvenioRDM, with a time no finer than a quarter."""
    metadata = record(about)["metadata"]
    assert metadata["resource_type"] == {"id": "dataset"}
    assert metadata["title"] and metadata["creators"][0]["person_or_org"]["name"]
    year, number = about.quarter.split("-Q")
    assert metadata["publication_date"].startswith(f"{year}-{3 * int(number) - 2:02}/")
    assert all(right.get("id") or right["title"]["en"] for right in metadata.get("rights", []))
    assert [each["relation_type"]["id"] for each in metadata["related_identifiers"]] == (
        ["isdescribedby", "isnewversionof"] if about.previous else ["isdescribedby"]
    )


def test_nobody_but_the_operator_is_named():
    made = record(FULL)
    [creator] = made["metadata"]["creators"]
    assert creator == {"person_or_org": {"type": "organizational", "name": FULL.operator}}
