"""What the documents of an archive say of the privacy of its speakers, in sentences that are true for it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .about import RECALL_DAYS, About
from .markdown import listed, share

DISGUISE = (
    "The voices of this release are disguised: the formants of each clip were moved by the McAdams "
    "coefficient (doi:10.21437/Interspeech.2021-1070), drawn at random for each clip.",
    "This is only a disguise. Measured: after seven coefficients, 17 of 30 voices were found again. "
    "Words, manner of speaking and sounds in the background are as they were recorded.",
    "Disguised clips are harder to train on: expect worse results than with the recordings.",
)

# What tables call columns that have another name here.
_COLUMNS = {"asked": "campaign"}


def withdrawal(about: About) -> list[str]:
    return [
        "Contributors can withdraw at any time, and every copy must honour it: the ids of withdrawn clips "
        f"are published once a day, signed, at {about.recalls} and {about.cleaner} deletes them from a copy. "
        f"{about.fetcher} does the same, and brings a copy up to date.",
        "Check that list before each training run, and pass this duty on with every copy."
        if about.is_public
        else f"Check that list before each training run, and at least every {RECALL_DAYS} days.",
        "A clip that was withdrawn or reported since the last of these lists is silent, its words are blank, "
        "and its checksum does not match; the same program removes it at once.",
    ]


def checksums(about: About) -> str:
    if about.is_public:
        return (
            "Each sound file ends with its id, so its checksum is of this release alone. The sound itself is "
            "not: whoever has two releases could find out which of their speakers are one person. Do not."
        )
    return (
        "The same clip has the same checksum in every release for researchers, so two lists of checksums say "
        "which speakers of two releases are one person. Do not compare them, and do not publish "
        "`checksums.sha256`."
    )


def personal(about: About) -> str:
    return (
        "Clips are people's voices, and what they say may be about them. The ids of clips and speakers are "
        "random and belong to this release alone."
        + (f" `previous-ids.csv` has those that clips had in {about.previous}." if about.previous else "")
        + ("" if about.is_disguised else " A voice can identify a person, whatever its id is.")
    )


def small_groups(figures: Mapping[str, Any]) -> list[str]:
    """What was done so that no column or count singles out a few people."""
    said = []
    if groups := figures.get("small_groups"):
        coarsened = listed(_COLUMNS.get(name, name) for name in groups.get("coarsened", ()))
        said.append(
            f"No column but the speaker's id tells apart fewer than {groups['k']} contributors. Coarsened "
            f"for that: {coarsened}."
        )
    if noise := figures.get("counts_noise"):
        said.append(
            "Counts of people that the site publishes about this release carry noise "
            f"({noise['mechanism']}, epsilon {noise['epsilon']:g}). The files here carry none: "
            "whoever has them can count speakers."
        )
    return said


class Cleared(NamedTuple):
    """The check before publication: what was looked for, counts, what it means and what it misses."""

    looked_for: str
    counts: list[str]
    means: list[str]


def cleared(about: About) -> Cleared | None:
    """None if nobody counted."""
    counted = about.clearing
    if "checked" not in counted:
        return None
    return Cleared(
        "A name, a number, an address, an account, somebody's health and another person's voice are private. "
        "In the campaigns of this release, when it was made:",
        [
            f"people who check each clip, each for themselves: {counted['checkers']}",
            f"clips that were checked: {counted['checked']}",
            f"clips in which one of them heard something private: {counted['found']}",
            f"clips with seconds that were silenced: {counted['silenced']}",
            f"clips that were destroyed: {counted['destroyed']}",
            f"settled clips that are left out because they are not cleared: {counted['not_cleared']}",
        ],
        [_HEARD_WHOLE, _missed(counted)] if about.is_public else [_missed(counted)],
    )


_HEARD_WHOLE = (
    "Each clip of this release was heard whole by two people who heard nothing private in it, or a reviewer "
    "cleared it after one of them was in doubt."
)


def _missed(counted: Mapping[str, Any]) -> str:
    if not counted["known"]:
        return "How much is missed was not measured."
    interval = f"95 % interval {share(counted['missed_low'])} to {share(counted['missed_high'])}"
    return (
        f"Sounds with a known answer were mixed in. Of {counted['known']} with something private, one person "
        f"missed {counted['missed']} ({share(counted['missed'], counted['known'])}, {interval}). "
        "They are made voices, which may be easier or harder to understand than people's."
    )
