"""zenodo.json: what a DOI may be made for, the description of a release without any of its sound.

It is a draft record of InvenioRDM, which Zenodo runs: https://inveniordm.docs.cern.ch/reference/metadata/
Whoever runs the site sends it to `/api/records` there, by hand; this site contacts nobody.
"""

import json
from typing import Any

from . import statements
from .about import About
from .croissant_conduct import operator
from .licence import address
from .markdown import one_line
from .summary import Summary

NAME = "zenodo.json"

_MONTHS = {"1": ("01", "03"), "2": ("04", "06"), "3": ("07", "09"), "4": ("10", "12")}


def zenodo(about: About, summary: Summary) -> str:
    """zenodo.json, a record that has no files."""
    about = about.spelled(one_line)
    record = {
        "access": {"record": "public", "files": "public" if about.is_public else "restricted"},
        "files": {"enabled": False},
        "metadata": {name: value for name, value in _metadata(about, summary).items() if value},
    }
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def why_no_files(about: About) -> str:
    """Why the sound itself is never deposited."""
    return (
        "No file is deposited with this record, on purpose. What has a DOI is kept for ever, and its copies "
        "cannot be called back. Whoever speaks in these clips may withdraw them at any time, and they are "
        f"then removed from the release. So the clips are only at {about.page}, and what was withdrawn is "
        f"published, signed, at {about.recalls}."
    )


def _metadata(about: About, summary: Summary) -> dict[str, Any]:
    organisation = {"type": "organizational", "name": operator(about)}
    keywords = ["speech", *statements.kinds(about, summary), *statements.languages(about, summary)]
    return {
        "resource_type": {"id": "dataset"},
        "title": about.title,
        "version": about.version,
        "publication_date": _quarter(about.quarter),
        "publisher": operator(about),
        # Contributors are not named, and there are no other authors.
        "creators": [{"person_or_org": organisation}],
        "description": statements.description(about, summary),
        "additional_descriptions": [{"description": why_no_files(about), "type": {"id": "notes"}}],
        "rights": list(map(_right, about.licences)),
        "subjects": [{"subject": keyword} for keyword in keywords],
        "related_identifiers": _related(about),
    }


def _quarter(quarter: str) -> str:
    """As an interval of EDTF, which is no finer than what the release says of its time.

    >>> _quarter("2025-Q3")
    '2025-07/2025-09'
    """
    year, number = quarter.split("-Q")
    first, last = _MONTHS[number]
    return f"{year}-{first}/{year}-{last}"


def _right(licence: str) -> dict[str, Any]:
    if address(licence):
        return {"id": licence.lower()}
    return {"title": {"en": licence}}


def _related(about: About) -> list[dict[str, Any]]:
    related = [_identifier(about.page, "isdescribedby")]
    if about.previous:
        related.append(_identifier(f"{about.site}/releases/{about.previous}/", "isnewversionof"))
    return related


def _identifier(url: str, relation: str) -> dict[str, Any]:
    return {
        "identifier": url,
        "scheme": "url",
        "relation_type": {"id": relation},
        "resource_type": {"id": "dataset"},
    }
