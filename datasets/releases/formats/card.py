"""The two documents of an archive for people to read: its dataset card and its licence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .summary import Subtotal, Summary


@dataclass(frozen=True)
class About:
    """Facts about a whole release.

    `name` is its slug, `quarter` when it was made (2025-Q3; no finer time is disclosed), `licence` an SPDX
    identifier, `site` the address of the site without a trailing slash, `contact` an address for people.
    `is_public` says that it is for everyone and not for named researchers. `as_of` is the day of the newest
    recall feed that changed what the release holds, empty if none did. `clearing` is what was counted when
    people heard the clips before publication; empty if nobody counted.
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

    @property
    def recalls(self) -> str:
        return f"{self.site}/api/v1/recalls/{self.name}.json"


def card(about: About, summary: Summary, layout: str) -> str:
    """The dataset card, in Markdown, with the sections of Hugging Face's template."""
    sections = (
        f"# {about.title}\n",
        _details(about, summary),
        _USES,
        f"## Dataset Structure\n\n{layout}\n\n{_COMMON_FILES}\n\n{_counts(summary)}",
        _CREATION,
        _personal(about),
        _LIMITATIONS,
        _citation(about),
        f"## Contact\n\n{about.contact}\n",
    )
    return "\n".join(sections)


def licence(about: About) -> str:
    """The licence in short, by its SPDX identifier, with the address of the full text."""
    terms = _TERMS.get(about.licence, "The full text says what is allowed.")
    as_of = f"As of the feed of {about.as_of}\n" if about.as_of else ""
    return (
        f"SPDX-License-Identifier: {about.licence}\n\n"
        f"{terms}\n\n"
        f"Full text: https://spdx.org/licenses/{about.licence}.html\n\n"
        "The licence is about copyright. It takes nothing from the people whose voices these are: their\n"
        "rights over their own data stay with them, and a clip that one of them withdraws must be deleted.\n"
        f"Withdrawn clips: {about.recalls}\n{as_of}"
    )


_TERMS = {
    "CC0-1.0": (
        "As far as the law allows, everyone with rights in this dataset has given them up: copy it,\n"
        "change it and use it for any purpose, without asking and without naming anyone."
    ),
    "CC-BY-4.0": (
        "Copy this dataset, change it and use it for any purpose, as long as you name where it comes from,\n"
        "link to the licence and say what you changed."
    ),
}

_USES = """\
## Uses

### Direct Use

Training and testing models that hear a wake word or write down speech.

### Out-of-Scope Use

Finding out who a speaker is, telling speakers apart from one release to another, or imitating a voice.
"""

_COMMON_FILES = """\
Beside them:

- `soft-labels.jsonl`: for each clip its `id`, `speaker` and `split`, the `answer` that it was settled on, the
  `confidence` of that answer, and in `soft` the votes for every answer, or for every word of a transcript.
- `LICENSE.txt`: the licence.
- `checksums.sha256`: check a copy with `sha256sum --check checksums.sha256`."""

_CREATION = """\
## Dataset Creation

### Curation Rationale

Clips that their contributors agreed to share, once volunteers agreed on what they hold.

### Data Collection and Processing

Recorded on contributors' own devices or in their browsers; made 16 kHz, mono, 16 bit, with nothing else kept
of the file that was sent. No speaker is in more than one split.

### Annotations

Several volunteers answered for each clip without seeing one another's answers. Where they disagreed to the
end, a reviewer decided. Transcripts are in lower case without punctuation. `[unclear]` stands for words that
could not be made out, `[private]` for what was said in seconds that are silenced.
"""

_LIMITATIONS = """\
## Bias, Risks, and Limitations

Speakers are people who chose to take part, not a sample of any population. Age, sex, ethnicity and income
were never asked, so performance by such groups cannot be measured with this dataset. A voice can identify a
person: ids are random, voices are not anonymous.
"""


def _details(about: About, summary: Summary) -> str:
    speakers = set[str]().union(*(subtotal.speakers for subtotal in summary.splits.values()))
    seconds = sum(subtotal.seconds for subtotal in summary.splits.values())
    return (
        "## Dataset Details\n\n"
        f"- Release: {about.name} ({about.quarter})\n"
        f"- Clips: {summary.clips}, {_duration(seconds)}, {len(speakers)} speakers\n"
        f"- Language: {_listed(summary.languages)}\n"
        f"- Wake word: {_listed(summary.wake_words)}\n"
        f"- Licence: {about.licence}\n"
        f"- Source: {about.site}\n"
    )


def _personal(about: About) -> str:
    return (
        "### Personal and Sensitive Information\n\n"
        "Clips are voices of people. The ids of clips and of speakers are random and were made for\n"
        "this release alone. Contributors can withdraw at any time, and every copy must honour it: the ids\n"
        f"of withdrawn clips are published, signed, at {about.recalls}\n"
        f"and {about.site}/static/downloads/clean_copy.py deletes them from a copy.\n"
        "Look there before each training, and pass a copy on only with this duty.\n\n"
        "A clip that was withdrawn or reported since the last of these lists is silent, its words are\n"
        "blank, and its checksum does not match; the same program takes it out at once.\n\n"
        f"{_PUBLIC_CHECKSUMS if about.is_public else _CHECKSUMS}{_cleared(about)}"
    )


def _cleared(about: About) -> str:
    """How the clips were checked before publication, and what that misses."""
    counted = about.clearing
    if "checked" not in counted:
        return ""
    return (_CLEARED if about.is_public else _CHECKED).format(**counted) + _missed(counted)


_CHECKED = """
#### Check Before Publication

A name, a number, an address, an account, somebody's health and another person's voice are private. In the
campaigns of this release, when it was made:

- people who check each clip, each for themselves: {checkers}
- clips that were checked: {checked}
- clips in which one of them heard something private: {found}
- clips with seconds that were silenced: {silenced}
- clips that were destroyed: {destroyed}
- settled clips that are left out because they are not cleared: {not_cleared}

"""

_CLEARED = (
    _CHECKED
    + """\
Each clip of this release was heard whole by two people who heard nothing private in it, or a reviewer cleared
it after one of them was in doubt.

"""
)


def _missed(counted: Mapping[str, Any]) -> str:
    if not counted["known"]:
        return "How much is missed was not measured.\n"
    share = counted["missed"] / counted["known"]
    return (
        f"Sounds with a known answer were mixed in. Of {counted['known']} with something private, one\n"
        f"person missed {counted['missed']} ({share:.1%}, 95 % interval {counted['missed_low']:.1%} to "
        f"{counted['missed_high']:.1%}). They are made\n"
        "voices, which may be easier or harder to understand than people's.\n"
    )


_CHECKSUMS = """\
The same clip has the same checksum in every release for researchers, so two lists of checksums say which
speakers of two releases are one person. Do not compare them, and do not publish `checksums.sha256`.
"""

_PUBLIC_CHECKSUMS = """\
Each sound file ends with its id, so its checksum is of this release alone. The sound itself is not: whoever
has two releases could find out which of their speakers are one person. Do not.
"""


def _citation(about: About) -> str:
    return f"## Citation\n\n> {about.title}. Release {about.name}, {about.quarter}. {about.site}\n"


def _counts(summary: Summary) -> str:
    tables = [_table("Split", summary.splits)]
    if len(summary.languages) > 1:
        tables.append(_table("Language", dict(sorted(summary.languages.items()))))
    if summary.labels:
        tables.append(_tally("Answer", summary.labels))
    if summary.left_out:
        tables.append(
            "Clips of the release that this format cannot hold:\n\n" + _tally("Reason", summary.left_out)
        )
    return "\n".join(tables)


def _table(head: str, subtotals: Mapping[str, Subtotal]) -> str:
    return _grid(
        (head, "Clips", "Speakers", "Duration"),
        ((name, s.clips, len(s.speakers), _duration(s.seconds)) for name, s in subtotals.items()),
    )


def _tally(head: str, counts: Mapping[str, int]) -> str:
    return _grid((head, "Clips"), sorted(counts.items()))


def _grid(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in (head, ("---",) * len(head), *rows))


def _duration(seconds: float) -> str:
    """
    >>> _duration(7384.2)
    '2:03:04'
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
