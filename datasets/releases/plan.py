"""The layout of a release's archive, planned once for each format and recall feed, and kept sealed.

Planning reads all rows of a release and no sound. Between two recall feeds all layouts of a release are
alike: a clip that was withdrawn meanwhile keeps its place, but its sound is silence and its words are blank.
"""

import hashlib
import pickle
import zlib
from datetime import date
from functools import cache
from pathlib import Path

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import ciphers, keyring, quarters
from accounts.models import DataKey
from datasets.models import ArchivePlan, Release

from . import frozen, pinning, tar
from .about import about
from .formats import package
from .formats.delta import Delta
from .formats.form import Format
from .formats.layout import Layout
from .formats.rows import FormatRefusal, NotRepresentable

_NAME = "layout of an archive"


def of(release: Release, form: Format) -> Layout:
    """As it was planned for the feed of the day, or planned now. Raises NotRepresentable and KeyLost."""
    if isinstance(form, Delta) and release.previous_id is None:
        raise NotRepresentable(FormatRefusal.NO_PREVIOUS, release=release.slug)
    found = kept().filter(release=release, form=form.NAME).first()
    return (found and _unsealed(found)) or make(release, form)


def kept() -> QuerySet[ArchivePlan]:
    """Those that are right now: made by this code, and since the last feed that changed their release."""
    is_current = Q(as_of=F("release__changed_on")) | Q(as_of=None, release__changed_on=None)
    return ArchivePlan.objects.filter(is_current, code=code())


def refusal_of(planned: ArchivePlan) -> NotRepresentable | None:
    """Why the format cannot take the release; None if it can."""
    if not planned.refusal:
        return None
    return NotRepresentable(FormatRefusal(planned.refusal["code"]), **planned.refusal["parameters"])


def make(release: Release, form: Format) -> Layout:
    """Plan the archive and keep the plan. Raises NotRepresentable, which is kept as well, and KeyLost."""
    try:
        layout = package.plan(
            form,
            about(release),
            pinning.subsets_of(release),
            frozen.in_format_order(release, form.BY_SPEAKER),
            lambda path, size: tar.size_of(path, size, mtime(release)),
        )
    except NotRepresentable as refusal:
        why = {"code": refusal.code, "parameters": refusal.parameters}
        _keep(release, form, {"size": 0, "clips": 0, "refusal": why}, b"")
        raise
    counts = {"size": size_of(layout, release), "clips": layout.summary.clips, "refusal": {}}
    _keep(release, form, counts, zlib.compress(pickle.dumps(layout, pickle.HIGHEST_PROTOCOL), 1))
    return layout


def mtime(release: Release) -> int:
    """The archive discloses no time finer than a quarter."""
    return int(quarters.start(release.published_at).timestamp())


def checksums_size(layout: Layout) -> int:
    paths = [*(path for path, _content in layout.documents), *(file.path for file in layout.files)]
    return sum(map(package.checksum_size, paths)) + sum(run.sums for run in layout.clips)


def size_of(layout: Layout, release: Release) -> int:
    """How many bytes the whole tar has."""
    at = mtime(release)
    files = [
        *((path, len(content)) for path, content in layout.documents),
        *((file.path, file.size) for file in layout.files),
        (package.CHECKSUMS, checksums_size(layout)),
    ]
    framed = sum(tar.size_of(path, size, at) for path, size in files)
    return framed + sum(run.size for run in layout.clips) + len(tar.END)


@transaction.atomic
def _keep(release: Release, form: Format, counts: dict[str, object], content: bytes) -> None:
    """Unless the feed changed while it was planned: then the next reader plans anew."""
    if _as_of(release) != release.changed_on:
        return
    master = DataKey.objects.lock_master()
    sealed = ciphers.seal(_key(master), content, _label(release.pk, form.NAME))
    ArchivePlan.objects.update_or_create(
        release=release,
        form=form.NAME,
        defaults={
            **counts,
            "as_of": release.changed_on,
            "code": code(),
            "master": master,
            "sealed": sealed,
        },
    )


def _as_of(release: Release) -> date | None:
    return Release.objects.values_list("changed_on", flat=True).get(pk=release.pk)


def _unsealed(plan: ArchivePlan) -> Layout | None:
    """None if its master key is gone, as is every time after somebody left. Raises NotRepresentable."""
    if refusal := refusal_of(plan):
        raise refusal
    try:
        content = ciphers.unseal(_key(plan.master), bytes(plan.sealed), _label(plan.release_id, plan.form))
    except ciphers.KeyLost:
        return None
    found: Layout = pickle.loads(zlib.decompress(content))  # safe: only this site has the key
    return found


def _key(master: str) -> bytes:
    return bytes.fromhex(ciphers.keyed_hash(keyring.read(master), _NAME, ""))


def _label(release: int, form: str) -> str:
    return f"{_NAME} of release {release} in {form}"


@cache
def code() -> str:
    """Which code makes layouts: another version of it may order or write files in another way."""
    here = Path(__file__).parent
    files = [
        *sorted((here / "formats").glob("*.py")),
        here / "tar.py",
        here / "frozen.py",
        here / "single_votes.py",
        here / "spans.py",
        here / "about.py",
        Path(__file__),
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
