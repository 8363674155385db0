"""What a release writes down of its campaigns, licences and sources, so that nothing changes it later."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from django.db.models import Count, QuerySet, Sum

from accounts.refusals import Refusal
from datasets import licences, normalise
from datasets.models import Campaign, Clip, Release, Task

from .formats import subsets

# Under which what is given on this site is released, unless its owner chooses another licence.
DEFAULT = "CC0-1.0"


class LicenceRefusal(StrEnum):
    NOT_COMPATIBLE = "not-compatible"  # asked, found
    NOT_STATED = "not-stated"  # asked, clips


class BadLicence(Refusal):
    """The clips were not given under a licence that allows the one asked for. Its code: a LicenceRefusal."""


class Facts:
    """What the rows of a release have in common, by number. To be saved once all rows were numbered.

    Subsets are numbered by name, so they are all known before the first row.
    """

    def __init__(self, release: Release, campaigns: Sequence[Campaign], taken: QuerySet[Task]) -> None:
        self.release = release
        of = taken.order_by().values_list("campaign", "clip__language").distinct()
        by_id = {campaign.pk: campaign for campaign in campaigns}
        keys = {(pk, language): _subset_key(by_id[pk], language) for pk, language in of}
        ordered = sorted(set(keys.values()))
        self._subsets = {each: ordered.index(key) for each, key in keys.items()}
        self._asked = {campaign.pk: number for number, campaign in enumerate(campaigns)}
        release.subsets = [list(key) for key in ordered]
        release.asked = [asked_of(campaign) for campaign in campaigns]

    def subset(self, task: Task) -> int:
        return self._subsets[task.campaign_id, task.clip.language]

    def asked(self, task: Task) -> int:
        return self._asked[task.campaign_id]

    def licence(self, clip: Clip) -> str:
        """Under which it was given; what was given here goes out under the release's, as its notice says."""
        given_here = clip.licence == licences.BY_CONSENT
        return self.release.licence or clip.licence if given_here else clip.licence

    def save(self) -> None:
        self.release.save(update_fields=["subsets", "asked"])


def subsets_of(release: Release) -> list[subsets.Subset]:
    return subsets.named((kind, language, wake_word) for kind, language, wake_word in release.subsets)


def licence_of(taken: QuerySet[Task], asked: str | None) -> str:
    """The licence of a release as a whole; empty if each of its clips says its own. Raises BadLicence."""
    counted = taken.order_by().values_list("clip__licence").annotate(clips=Count("clip", distinct=True))
    given = dict(counted)
    found = set(given) - {"", licences.BY_CONSENT}
    if asked is None:
        return "" if "" in given else licences.compatible(found | {DEFAULT}) or ""
    if "" in given:
        raise BadLicence(LicenceRefusal.NOT_STATED, asked=asked, clips=given[""])
    if licences.compatible(found | {asked}) != asked:
        raise BadLicence(LicenceRefusal.NOT_COMPATIBLE, asked=asked, found=", ".join(sorted(found)))
    return asked


def sources(release: Release) -> list[dict[str, Any]]:
    """How much came from each source under each licence."""
    counted = (
        release.rows.order_by("source", "licence")
        .values("source", "licence")
        .annotate(
            clips=Count("pk"), seconds=Sum("task__clip__seconds"), speakers=Count("speaker", distinct=True)
        )
    )
    return [dict(each) for each in counted]


def _subset_key(campaign: Campaign, language: str) -> tuple[str, str, str]:
    is_wake_word = campaign.kind == Campaign.Kind.WAKE_WORD
    return (
        campaign.kind,
        language,
        normalise.text(campaign.wake_word, campaign.language) if is_wake_word else "",
    )


def asked_of(campaign: Campaign) -> dict[str, Any]:
    """What people were asked, as it is now."""
    return {
        "slug": campaign.slug,
        "title": str(campaign.title),
        "kind": campaign.kind,
        "language": campaign.language,
        "wake_word": campaign.wake_word,
        "guidelines": campaign.guidelines,
        "guidelines_version": hashlib.sha256(campaign.guidelines.encode()).hexdigest()[:12],
        "min_annotations": campaign.min_annotations,
        "max_annotations": campaign.max_annotations,
        "confidence": campaign.confidence,
    }
