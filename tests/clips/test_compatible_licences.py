"""Which licences go together in one collection."""

from itertools import combinations, combinations_with_replacement, permutations

import pytest

from datasets import licences

KNOWN = (*licences.COMMON, licences.BY_CONSENT)
PERMISSIVE = ("CC0-1.0", "PDDL-1.0", "MIT", "CDLA-Permissive-2.0")
BY = ("CC-BY-3.0", "CC-BY-4.0")
# For each licence, what it absorbs besides itself and what has no conditions.
ABSORBED = {
    "Apache-2.0": {"MIT"},
    "CC-BY-3.0": {*PERMISSIVE},
    "CC-BY-4.0": {*PERMISSIVE, "CC-BY-3.0"},
    "CC-BY-SA-3.0": {*PERMISSIVE, "CC-BY-3.0"},
    "CC-BY-SA-4.0": {*PERMISSIVE, *BY, "CC-BY-SA-3.0"},
    "CC-BY-NC-3.0": {*PERMISSIVE, "CC-BY-3.0"},
    "CC-BY-NC-4.0": {*PERMISSIVE, *BY, "CC-BY-NC-3.0"},
    "CC-BY-NC-SA-4.0": {*PERMISSIVE, *BY, "CC-BY-NC-3.0", "CC-BY-NC-4.0"},
}


def absorbs(one, other):
    without_conditions = {"CC0-1.0", "PDDL-1.0"} if one in licences.COMMON else set()
    return one == other or other in without_conditions | ABSORBED.get(one, set())


@pytest.mark.parametrize(("one", "other"), list(combinations_with_replacement(KNOWN, 2)))
def test_of_two_licences_the_one_that_absorbs_the_other_is_for_both(one, other):
    if "CC0-1.0" in (one, other) and licences.BY_CONSENT not in (one, other):
        expected = one if other == "CC0-1.0" else other
    else:
        expected = next((a for a, b in ((one, other), (other, one)) if absorbs(a, b)), None)
    assert licences.compatible([one, other]) == expected
    assert licences.compatible([other, one]) == expected


@pytest.mark.parametrize("licence", [*KNOWN, "LicenseRef-ours"])
def test_one_licence_stays_itself(licence):
    assert licences.compatible([licence]) == licences.compatible([licence] * 3) == licence


@pytest.mark.parametrize("licence", licences.COMMON)
def test_what_has_no_conditions_changes_nothing(licence):
    assert licences.compatible([licence, "CC0-1.0"]) == licence


def test_three_licences_are_as_good_as_their_pairs_in_any_order():
    for three in combinations(KNOWN, 3):
        [whole] = {licences.compatible(order) for order in permutations(three)}
        assert whole is None or all(licences.compatible([whole, each]) == whole for each in three)


@pytest.mark.parametrize("others", [[], [""], ["CC0-1.0", ""], ["MIT", "LicenseRef-ours"], ["GPL", "MIT"]])
def test_what_no_one_can_know_is_for_no_whole(others):
    assert licences.compatible(others) is None


def test_each_known_licence_is_said_in_a_sentence():
    assert licences.TERMS.keys() == set(KNOWN)
