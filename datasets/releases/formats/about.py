"""The facts about a release from which the documents of its archives are written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .subsets import Subset

__all__ = ["About", "CampaignFacts", "Origin", "Subset"]

BROWSER, DEVICE, IMPORT = "browser", "device", "import"
SOURCES = (BROWSER, DEVICE, IMPORT)

# Within how many days a copy for researchers must follow a recall, as its terms say.
RECALL_DAYS = 30


@dataclass(frozen=True)
class Origin:
    """Clips that came in one way under one licence; `collection` is an import's title.

    `licence` is an SPDX identifier, empty if none was stated. Raises ValueError for an unknown source.
    """

    source: str
    licence: str
    clips: int
    seconds: float
    speakers: int
    collection: str = ""

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f"origin of {self.clips} clips: source {self.source!r} is none of {SOURCES}")


@dataclass(frozen=True)
class CampaignFacts:
    """A campaign as it was when the release was made. `drafts_by` is the machine whose drafts volunteers
    could ask for, if any."""

    title: str
    kind: str
    language: str
    wake_word: str = ""
    question: str = ""
    guidelines: str = ""
    guidelines_version: int | str = ""
    min_annotations: int = 0
    max_annotations: int = 0
    confidence: float = 0.0
    drafts_by: str = ""


@dataclass(frozen=True)
class About:
    """Facts about a whole release.

    `name` is its slug, `version` a semantic one, `previous` the slug of the version before. `quarter` says
    when it was made (2025-Q3; no finer time is disclosed). `licence` is the SPDX identifier under which the
    whole is offered, empty if each clip has its own. `site` is the address of the site without a trailing
    slash, `contact` an address for people, `operator` who runs the site. `is_public` says that it is for
    everyone and not for named researchers, `is_disguised` that its voices are, `has_single_votes` that it
    lists answers of volunteers one by one. `as_of` is the day of the newest recall feed that changed what the
    release holds, empty if none did. `clearing` is what was counted when people heard the clips before
    publication; empty if nobody counted.

    `figures`, all optional: `annotators` and `votes` (counts), `votes_per_clip`, `alpha` (Krippendorff's),
    `expected_error` with `expected_error_low` and `expected_error_high` (shares of labels), `adjudicated`
    (clips), `left_out` (clips by reason), `split_targets` and `split_shares` (shares by split),
    `single_votes` ({"votes": those that are listed, "unsaid": columns with votes of which they say nothing}),
    `small_groups` ({"k": contributors, "coarsened": columns}) and `counts_noise` ({"mechanism", "epsilon"}).
    `changes` since the previous version: `added` (clips), `changed` (clips by reason), `recalled` (clips).
    """

    name: str
    title: str
    quarter: str
    site: str
    contact: str
    licence: str = "CC0-1.0"
    as_of: str = ""
    is_public: bool = False
    clearing: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    notes: str = ""
    previous: str = ""
    operator: str = ""
    is_disguised: bool = False
    has_single_votes: bool = False
    campaigns: tuple[CampaignFacts, ...] = ()
    subsets: tuple[Subset, ...] = ()
    origins: tuple[Origin, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)

    def spelled(self, text: Callable[[str], str]) -> "About":
        """The same with `text` applied to all lines that people typed, so that no document forgets one.

        Not to `notes` and guidelines, which have several lines.
        """
        return replace(
            self,
            title=text(self.title),
            contact=text(self.contact),
            operator=text(self.operator),
            campaigns=tuple(
                replace(
                    each,
                    title=text(each.title),
                    wake_word=text(each.wake_word),
                    question=text(each.question),
                    drafts_by=text(each.drafts_by),
                )
                for each in self.campaigns
            ),
            subsets=tuple(
                each._replace(name=text(each.name), wake_word=text(each.wake_word)) for each in self.subsets
            ),
            origins=tuple(replace(each, collection=text(each.collection)) for each in self.origins),
        )

    @property
    def recalls(self) -> str:
        return f"{self.site}/api/v1/recalls/{self.name}.json"

    @property
    def page(self) -> str:
        return f"{self.site}/releases/{self.name}/"

    @property
    def cleaner(self) -> str:
        return f"{self.site}/static/downloads/clean_copy.py"

    @property
    def fetcher(self) -> str:
        return f"{self.site}/static/downloads/fetch_release.py"

    @property
    def licences(self) -> tuple[str, ...]:
        """Those of the whole and of its sources that are stated, sorted."""
        return tuple(sorted({self.licence, *(origin.licence for origin in self.origins)} - {""}))

    @property
    def sources(self) -> tuple[str, ...]:
        """The ways in which its clips came, in the order of SOURCES."""
        return tuple(source for source in SOURCES if any(origin.source == source for origin in self.origins))
