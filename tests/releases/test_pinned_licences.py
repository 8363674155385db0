"""The licence of a release follows from those of its clips."""

import pytest

from datasets.models import Clip, Release
from datasets.releases import pinning
from tests.support.mutants import mutant
from tests.support.released import refused, release, settle


@pytest.fixture
def given(juniper, share):
    """Settled clips, given under these licences."""

    def under(*licences):
        for licence in licences:
            task = settle(share(juniper))
            source = Clip.Source.BROWSER if licence == pinning.licences.BY_CONSENT else Clip.Source.IMPORT
            Clip.objects.filter(pk=task.clip_id).update(licence=licence, source=source)
        return juniper

    return under


HERE = pinning.licences.BY_CONSENT


@pytest.mark.parametrize(
    ("licences", "whole", "rows"),
    [
        ([HERE], "CC0-1.0", {"CC0-1.0"}),
        ([HERE, "CC-BY-4.0"], "CC-BY-4.0", {"CC-BY-4.0"}),
        (["CC0-1.0", "CC-BY-SA-4.0"], "CC-BY-SA-4.0", {"CC0-1.0", "CC-BY-SA-4.0"}),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "", {"CC-BY-SA-4.0", "CC-BY-NC-4.0"}),
        ([HERE, ""], "", {HERE, ""}),
    ],
)
def test_the_whole_has_the_licence_that_those_of_its_clips_allow(given, licences, whole, rows):
    one = release("spring", given(*licences))
    assert one.licence == whole
    assert set(one.rows.values_list("licence", flat=True)) == rows


@mutant(
    "a clip is not released under a licence that its own does not allow",
    "datasets/releases/pinning.py",
    kept_by="    if licences.compatible(found | {asked}) != asked:\n",
    broken="    if False:\n",
)
def test_a_licence_that_a_clip_does_not_allow_is_refused(given):
    with refused(pinning.BadLicence, "given under CC-BY-NC-4.0 cannot be released as a whole under CC0-1.0"):
        release("spring", given("CC-BY-NC-4.0", HERE), licence="CC0-1.0")
    assert not Release.objects.exists()


def test_an_unstated_licence_cannot_be_covered_by_another(given):
    with refused(pinning.BadLicence, "1 imported clips have no licence"):
        release("spring", given("", HERE), licence="CC0-1.0")


def test_a_later_change_of_a_clips_licence_changes_no_release(given):
    one = release("spring", given("CC-BY-4.0"))
    Clip.objects.update(licence="CC0-1.0")
    assert set(one.rows.values_list("licence", flat=True)) == {"CC-BY-4.0"}


def test_each_source_is_counted_under_its_licence(given):
    one = release("spring", given("CC-BY-4.0", "CC-BY-4.0", HERE))
    assert [(each["source"], each["licence"], each["clips"]) for each in one.sources] == [
        ("browser", "CC-BY-4.0", 1),
        ("import", "CC-BY-4.0", 2),
    ]
