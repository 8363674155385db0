"""Columns that tell a few people apart: made coarser, or the reason not to make the release.

A value that all contributors share tells nobody apart. Ids of speakers are not among these columns: to tell
voices apart is what they are for.
"""

from enum import StrEnum

from django.conf import settings
from django.db.models import Count

from accounts.refusals import Refusal
from datasets.models import Release, SingleVote


class GroupRefusal(StrEnum):
    TELLS_APART = "tells-apart"  # column, value, found, least
    FEW_ANNOTATORS = "few-annotators"  # value, found, least


class TellsApart(Refusal):
    """A column that cannot be coarser would tell apart too few people. Its code is a GroupRefusal."""


# What may be left empty, which says as much as 'one of several'.
COARSE = ("source", "asked", "licence")
ASKED_OF_SEVERAL = 32_767  # in place of a campaign's number


def least(release: Release) -> int:
    """How many contributors a value of a column must stand for."""
    found: int = settings.RELEASE_LEAST_GROUP[release.audience]
    return found


def coarsen(release: Release) -> list[str]:
    """Coarsen what would tell apart too few contributors; returns the names of these columns.

    Raises TellsApart for a kind, language or wake word: a model is trained for each of them, so that cannot
    be left unsaid; and for licences that no one licence covers.
    """
    few = least(release)
    everyone = release.rows.aggregate(found=Count("speaker", distinct=True))["found"]
    for number, people in _too_small(release, "subset", min(few, everyone)):
        said = _in_words(release, int(number))
        raise TellsApart(GroupRefusal.TELLS_APART, column="subset", value=said, found=people, least=few)
    coarsened = []
    for column in COARSE:
        if small := _too_small(release, column, min(few, everyone)):
            _check_can_be_empty(release, column, small[0], few)
            release.rows.update(**{column: _empty(release, column)})
            coarsened.append(column)
    return coarsened


def check_annotators(release: Release) -> None:
    """Raise TellsApart if single votes, of the release or of a subset that has any, are of few people."""
    few = least(release)
    votes = SingleVote.objects.filter(row__release=release).order_by()
    counted = votes.values_list("row__subset").annotate(people=Count("giver", distinct=True))
    found = [("this release", release.annotators.count())]
    found += [(_in_words(release, number), people) for number, people in sorted(counted)]
    for value, people in found:
        if people < few:
            raise TellsApart(GroupRefusal.FEW_ANNOTATORS, value=value, found=people, least=few)


def _in_words(release: Release, subset: int) -> str:
    return " ".join(part for part in release.subsets[subset] if part)


def _too_small(release: Release, column: str, few: int) -> list[tuple[str, int]]:
    """The values that fewer contributors than `few` have."""
    groups = release.rows.order_by().values_list(column).annotate(people=Count("speaker", distinct=True))
    counted = sorted((value, people) for value, people in groups)
    return [(str(value), people) for value, people in counted if people < few]


def _check_can_be_empty(release: Release, column: str, small: tuple[str, int], few: int) -> None:
    if column == "licence" and not release.licence:
        value, found = small
        raise TellsApart(GroupRefusal.TELLS_APART, column=column, value=value, found=found, least=few)


def _empty(release: Release, column: str) -> str | int:
    """Of licences, the one that covers all."""
    if column == "asked":
        return ASKED_OF_SEVERAL
    return release.licence if column == "licence" else ""
