"""The facts about a release that the documents of its archives state, as they were written down."""

from typing import Any

from accounts import quarters
from accounts.models import Purpose
from datasets.models import Release

from . import pinning
from .formats.about import About, CampaignFacts, Origin


def about(release: Release) -> About:
    """No time is finer than a quarter, except days that the recall feed names."""
    return About(
        name=release.slug,
        title=release.slug,
        version=release.version,
        notes=release.notes,
        previous=release.previous.slug if release.previous else "",
        quarter=quarters.name(release.published_at),
        site=release.site,
        contact=release.contact,
        licence=release.licence,
        is_disguised=release.is_disguised,
        has_single_votes=release.has_single_votes,
        is_public=release.audience == Purpose.PUBLIC,
        clearing=release.clearing,
        as_of=release.changed_on.isoformat() if release.changed_on else "",
        campaigns=tuple(_campaign(asked) for asked in release.asked),
        subsets=tuple(pinning.subsets_of(release)),
        origins=tuple(Origin(**each) for each in release.sources if each["source"]),
        figures=_figures(release),
        changes={name: release.changes[name] for name in ("added", "changed", "recalled") if release.changes},
    )


def _campaign(asked: dict[str, Any]) -> CampaignFacts:
    return CampaignFacts(**{name: value for name, value in asked.items() if name != "slug"})


def _figures(release: Release) -> dict[str, Any]:
    """As the documents name them; an older release has none."""
    counted = release.figures
    if not counted:
        return {}
    clips = counted["clips"] or 1
    return {
        "annotators": counted["annotators"],
        "votes": counted["votes"],
        "votes_per_clip": round(counted["votes"] / clips, 2),
        "expected_error": counted["expected_error"],
        "adjudicated": counted["adjudicated"],
        "left_out": counted["left_out"],
        "split_targets": {split: each["target"] for split, each in counted["splits"].items()},
        "split_shares": {split: each["share"] for split, each in counted["splits"].items()},
        "single_votes": counted.get("single_votes", {}),
        "small_groups": {"k": counted["least_group"], "coarsened": counted["coarsened"]},
    }
