"""The head of a dataset card in YAML, as the Hugging Face hub reads it.

The values are those of https://huggingface.co/docs/hub/datasets-cards and of the lists that it links to.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from datasets import languages

from . import statements
from .about import IMPORT, About
from .licence import address
from .markdown import one_line
from .rows import TRANSCRIPTION, WAKE_WORD
from .summary import Summary

# What the hub calls these licences; the others are "other", with a name and an address.
HUB_LICENCES = {
    "Apache-2.0": "apache-2.0",
    "CC-BY-3.0": "cc-by-3.0",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-NC-3.0": "cc-by-nc-3.0",
    "CC-BY-NC-4.0": "cc-by-nc-4.0",
    "CC-BY-NC-ND-4.0": "cc-by-nc-nd-4.0",
    "CC-BY-NC-SA-4.0": "cc-by-nc-sa-4.0",
    "CC-BY-ND-4.0": "cc-by-nd-4.0",
    "CC-BY-SA-3.0": "cc-by-sa-3.0",
    "CC-BY-SA-4.0": "cc-by-sa-4.0",
    "CC0-1.0": "cc0-1.0",
    "CDLA-Permissive-2.0": "cdla-permissive-2.0",
    "CDLA-Sharing-1.0": "cdla-sharing-1.0",
    "MIT": "mit",
    "ODC-By-1.0": "odc-by",
    "ODbL-1.0": "odbl",
    "PDDL-1.0": "pddl",
}

# Above as many clips, in thousands, begins the next size.
_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
_TASKS = {
    WAKE_WORD: ("audio-classification", "keyword-spotting"),
    TRANSCRIPTION: ("automatic-speech-recognition", ""),
    statements.INTENT: ("text-classification", "intent-classification"),
}


class CardForm(Protocol):
    """What the documents need of a format.

    A format may also have `hub_configs(about, summary)`, the hub's list of configurations with their
    data_files, and `dataset_info(about, summary)`.
    """

    @property
    def NAME(self) -> str: ...

    @property
    def LAYOUT(self) -> str: ...


def head(about: About, summary: Summary, form: CardForm) -> str:
    """The head with its two lines of dashes."""
    fields = _licence(about) | _languages(about, summary) | _kind(about, summary, form)
    for name, key in (("hub_configs", "configs"), ("dataset_info", "dataset_info")):
        if (given := getattr(form, name, None)) is not None:
            fields[key] = given(about, summary)
    return "---\n" + "".join(f"{line}\n" for line in _mapping(fields) if line) + "---\n"


def size_category(clips: int) -> str:
    """
    >>> size_category(999), size_category(1000), size_category(10**9)
    ('n<1K', '1K<n<10K', '100M<n<1B')
    """
    return _SIZES[min(len(str(clips // 1000)) if clips >= 1000 else 0, len(_SIZES) - 1)]


def _licence(about: About) -> dict[str, Any]:
    if about.licence in HUB_LICENCES:
        return {"license": HUB_LICENCES[about.licence]}
    name = about.licence.lower() if about.licence else "several-licences"
    return {
        "license": "other",
        "license_name": "".join(char if char.isalnum() or char in ".-" else "-" for char in name),
        "license_link": address(about.licence) or about.page,
    }


def _languages(about: About, summary: Summary) -> dict[str, Any]:
    """The hub wants codes of two or three letters, and longer ones beside them."""
    codes = statements.languages(about, summary)
    primary = sorted({languages.primary(code) for code in codes})
    fields: dict[str, Any] = {"language": primary} if primary else {}
    if longer := [code for code in codes if code != languages.primary(code)]:
        fields["language_bcp47"] = longer
    return fields


def _kind(about: About, summary: Summary, form: CardForm) -> dict[str, Any]:
    kinds = statements.kinds(about, summary)
    came_from_here = not about.sources or set(about.sources) != {IMPORT}
    imported = IMPORT in about.sources
    ids = [_TASKS[kind][1] for kind in kinds if _TASKS[kind][1]]
    tags = ["speech", *kinds, form.NAME, *(["disguised-voices"] if about.is_disguised else [])]
    version = f" {about.version}" if about.version else ""
    return {
        "pretty_name": one_line(about.title) + version,
        "annotations_creators": ["crowdsourced"],
        "language_creators": ["crowdsourced"] * came_from_here + ["found"] * imported,
        "multilinguality": [
            "multilingual" if len(statements.languages(about, summary)) > 1 else "monolingual"
        ],
        "size_categories": [size_category(summary.clips)],
        "source_datasets": ["original"] * came_from_here + ["extended"] * imported,
        "task_categories": [_TASKS[kind][0] for kind in kinds],
        "task_ids": ids,
        "tags": tags,
    }


def _mapping(fields: Mapping[str, Any]) -> Iterator[str]:
    """A YAML block; what is empty is left out."""
    for key, value in fields.items():
        if value not in ("", [], {}, None):
            yield from _item(f"{key}:", value)


def _item(before: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield before
        yield from (f"  {line}" for line in _mapping(value))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield before
        for each in value:
            yield from _element(each)
    else:
        yield f"{before} {_scalar(value)}"


def _element(value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"- {_scalar(value)}"
        return
    for number, line in enumerate(_mapping(value)):
        yield f"{'  ' if number else '- '}{line}"


def _scalar(value: Any) -> str:
    """JSON, which YAML takes as it is. Every text is quoted: `no` would be false, and 1.0 a number."""
    return json.dumps(one_line(value) if isinstance(value, str) else value, ensure_ascii=False)
