"""croissant.json: a release as Croissant 1.1 describes datasets, with RAI 1.0 and PROV.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html and
https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html

Tables are sets of files (`cr:FileSet`) in the folder in which croissant.json lies, so that they are read
where a copy was unpacked. The sounds are in the archive (`cr:FileObject`), because mlcroissant reads WAV from
an archive alone. Nothing has a SHA-256: croissant.json is in the archive itself, and between two recall feeds
a withdrawal replaces words by blanks, with which this file must not change. So the dataset is called live,
which Croissant asks of files that change, and checksums.sha256 has the digests. For the same reason no size
of a file is stated.
"""

import json
from collections.abc import Iterable
from typing import Any

from . import statements
from .about import About
from .card import bibtex
from .card_head import CardForm
from .croissant_conduct import offer, operator, provenance, responsible
from .croissant_files import described
from .licence import address
from .markdown import one_line
from .summary import Summary
from .tables import File

NAME = "croissant.json"

_PREFIXES = {
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_TERMS = """
    annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileObject
    fileProperty fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path readLines
    recordSet references regex repeated replace samplingRate sdVersion separator source subField transform
    unArchive value
"""

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **_PREFIXES,
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
}


def croissant(about: About, summary: Summary, form: CardForm, files: Iterable[File]) -> str:
    """croissant.json. `files` are those that are not sounds; plain (path, size, kind) will do.

    A format whose sounds lie in its tables or shards says so by an empty SOUNDS; others can name the globs of
    their sounds there, if not "*.wav". Raises KeyError for an unknown kind of file.
    """
    about = about.spelled(one_line)
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [f"{_PREFIXES['cr']}1.1", f"{_PREFIXES['rai']}1.0"],
        **_dataset(about, summary, form),
        **responsible(about, summary),
        **provenance(about),
        "usageInfo": offer(about),
        **described(about, summary, form, (file for file in files if file[0] != NAME)),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _dataset(about: About, summary: Summary, form: CardForm) -> dict[str, Any]:
    published = f"{about.quarter[:4]}-{3 * int(about.quarter[-1]) - 2:02}-01"
    fields = {
        "name": about.name,
        "alternateName": about.title,
        "description": f"{about.title}. {statements.description(about, summary)} Dates are of the quarter.",
        "url": about.page,
        "version": about.version,
        "isLiveDataset": True,
        "license": [_licence(licence) for licence in about.licences or [statements.NOT_STATED]],
        "creator": _operator(about),
        "publisher": _operator(about),
        "datePublished": published,
        "inLanguage": statements.languages(about, summary),
        "keywords": ["speech", *statements.kinds(about, summary), form.NAME],
        "citeAs": bibtex(about),
    }
    return {name: value for name, value in fields.items() if value not in ("", [])}


def _licence(licence: str) -> str | dict[str, str]:
    return address(licence) or {"@type": "sc:CreativeWork", "name": licence}


def _operator(about: About) -> dict[str, str]:
    return {"@type": "sc:Organization", "name": operator(about), "url": about.site}
