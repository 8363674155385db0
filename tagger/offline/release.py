"""What browsers keep of a release to open the desk without a network: files, and a page in each language."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

# Everything that the desk loads. A typeface for other letters is kept once a page has used it.
_SHELL = (
    "css/",
    "fonts/commissioner-latin.woff2",
    "img/icons.svg",
    "img/mark.svg",
    "js/desk/",
    "js/keys/",
    "js/player/",
    "js/record/wav.js",
    "js/site/",
    "js/vendor/",
)
_KINDS = (".css", ".js", ".svg", ".woff2")


@dataclass(frozen=True)
class Release:
    """`version` changes with any of it: then browsers load all of it again, and use all of it or nothing."""

    version: str
    files: tuple[str, ...]
    pages: dict[str, str]

    @property
    def as_json(self) -> str:
        return json.dumps(asdict(self))


def current() -> Release | None:
    """None where static files have no hashes: there a browser would not notice that one has changed."""
    storage = staticfiles_storage
    return _of(storage) if isinstance(storage, ManifestFilesMixin) else None


def drawn(language: str, nonce: str) -> str:
    """The page that is shown without a network; the same for everyone."""
    with translation.override(language):
        return render_to_string("tagger/offline/offline.html", {"nonce": nonce})


@cache
def _of(storage: ManifestFilesMixin) -> Release:
    names = filter(_is_shell, storage.hashed_files)
    files = tuple(sorted(map(storage.url, names)))
    languages = [code for code, _ in settings.LANGUAGES]
    made = hashlib.sha256("\n".join([*files, *(drawn(code, "") for code in languages)]).encode())
    pages = {code: reverse("offline", args=[code]) for code in languages}
    return Release(made.hexdigest()[:16], files, pages)


def _is_shell(name: str) -> bool:
    return name.startswith(_SHELL) and name.endswith(_KINDS)
