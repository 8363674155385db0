"""Every stored object has its row, its key and its live consent, and the other way round. Is that so?

One pass over the files and one over the rows, with a batch of either in memory at a time. People go on
sharing and leaving meanwhile, so whatever looks wrong is looked at once more by itself before it counts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.core.files.storage import Storage, storages
from django.db.models import Aggregate, Count, DurationField, Exists, F, Max, OuterRef
from django.utils.translation import gettext_lazy as _

from accounts import ciphers, keys, turnover
from accounts.consent import live_for
from accounts.models import DataKey, Purpose, User
from datasets.models import Clip, Reconciliation, ReleaseRow, Withdrawal

KINDS = {
    "files_without_rows": _("files that no clip names"),
    "leftover_drafts": _("drafts of broken writes"),
    "rows_without_files": _("clips whose file is missing"),
    "keys_that_do_not_open": _("clips whose key does not open"),
    "clips_without_consent": _("clips without live consent"),
    "clips_past_erasure": _("clips left by an erasure"),
    "keys_without_owner": _("keys of who or what is gone"),
    "missing_masters": _("master keys that are missing"),
    "overdue_erasures": _("erasures over 5 minutes"),
    "release_rows_without_clip": _("released rows without clip"),
}
# Rubbish whatever became of it: no row says whose a file is, so nobody can ever open it or ask for it.
REMOVABLE = ("files_without_rows", "leftover_drafts")

# A file is written before its row commits; younger ones may belong to an upload under way.
GRACE = timedelta(seconds=60)
# Removing cannot be undone, so it waits for longer than any process can have been held up.
REMOVED_AFTER = timedelta(hours=1)
ERASED_WITHIN = timedelta(minutes=5)
AT_ONCE = 2_000

# A kind and what is of that kind: the name of a file, or the number of a row.
Orphan = tuple[str, str]


class Median(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


def look(
    now: datetime, *, remove: bool = False, tell: Callable[[Orphan], Any] = lambda orphan: None
) -> Reconciliation:
    """Look over everything, and keep the counts. `tell` hears of each orphan that stays.

    With `remove`, rubbish older than an hour is deleted and counts no more.
    """
    held: Counter[str] = Counter(clips=0, files=0, keys=DataKey.objects.count())
    orphans: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    for orphan in _orphans(now, held):
        if remove and _removed(orphan, now):
            held["removed"] += 1
        else:
            orphans[orphan[0]] += 1
            tell(orphan)
    return Reconciliation.objects.create(
        looked_at=now, held=dict(held), orphans=dict(orphans), erasures=_erasures()
    )


def _orphans(now: datetime, held: Counter[str]) -> Iterator[Orphan]:
    yield from _files(now, held)
    yield from _clips(held)
    yield from (("keys_without_owner", str(owner)) for owner in _gone_whose_key_stayed())
    used = DataKey.objects.order_by("master").values_list("master", flat=True).distinct()
    yield from (("missing_masters", name) for name in used if name not in ciphers.masters())
    late = Withdrawal.objects.filter(finished_at=None, requested_at__lt=now - ERASED_WITHIN)
    yield from (("overdue_erasures", str(pk)) for pk in _numbers(late))
    loose = ReleaseRow.objects.filter(~Exists(Clip.objects.filter(tasks=OuterRef("task_id"))))
    yield from (("release_rows_without_clip", str(pk)) for pk in _numbers(loose))


def _files(now: datetime, held: Counter[str]) -> Iterator[Orphan]:
    for names in _batches(_walk(storages["vault"], "")):
        whole = [name for name in names if not name.endswith(".part")]
        held["files"] += len(whole)
        known = set(Clip.objects.filter(stored_as__in=whole).values_list("stored_as", flat=True))
        for name in names:
            if name not in known and _is_older(name, now - GRACE):
                if name.endswith(".part"):
                    yield "leftover_drafts", name
                elif not Clip.objects.filter(stored_as=name).exists():
                    yield "files_without_rows", name


def _clips(held: Counter[str]) -> Iterator[Orphan]:
    last = 0
    while batch := list(_with_all_it_needs().filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        last = batch[-1].pk
        held["clips"] += len(batch)
        for clip in batch:
            if any(_faults(clip)) and (again := _with_all_it_needs().filter(pk=clip.pk).first()):
                yield from ((kind, str(again.pk)) for kind in _faults(again))


def _with_all_it_needs() -> Any:
    covered = live_for("contributor", "material", Purpose.VOLUNTEERS)
    return Clip.objects.select_related("contributor__data_key", "withdrawal").annotate(covered=covered)


def _faults(clip: Any) -> Iterator[str]:
    if clip.withdrawal is not None:
        # One that is under way has taken some of it already; how long it takes is looked at apart.
        if clip.withdrawal.finished_at is not None:
            yield "clips_past_erasure"
        return
    if not storages["vault"].exists(clip.stored_as):
        yield "rows_without_files"
    if not _opens(clip):
        yield "keys_that_do_not_open"
    if not clip.covered:
        yield "clips_without_consent"


def _opens(clip: Clip) -> bool:
    try:
        return len(clip.key) == ciphers.KEY
    except (keys.KeyLost, ValueError):  # ValueError: what lies there is too short for a wrapped key
        return False


def _gone_whose_key_stayed() -> Iterator[int | str]:
    """In the table of keys, or in its newest-only copy, which every erasure and turn-over writes anew."""
    there = User.objects.filter(pk=OuterRef("person_id")).exclude(username__startswith="gone-")
    yield from DataKey.objects.filter(~Exists(there)).values_list("person_id", flat=True)
    first = set(_copied_without_row())
    yield from first.intersection(_copied_without_row() if first else [])


def _copied_without_row() -> Iterator[int | str]:
    """People by number and clips by the name of their file; not those whose erasure is under way."""
    for lines in _batches(_copied()):
        people = {line["person"] for line in lines if "person" in line}
        yield from people - _column(DataKey.objects.filter(person__in=people), "person_id") - _leaving(people)
        clips = {line["clip"]: line["contributor"] for line in lines if "clip" in line}
        known = _column(Clip.objects.filter(stored_as__in=clips), "stored_as")
        leaving = _leaving(clips.values())
        yield from (name for name, owner in clips.items() if name not in known and owner not in leaving)


def _copied() -> Iterator[turnover.Line]:
    with suppress(FileNotFoundError):  # a site that has not turned over yet has none
        yield from turnover.copied()


def _leaving(people: Iterable[int]) -> set[int]:
    return _column(Withdrawal.objects.filter(person_id__in=people, finished_at=None), "person_id")


def _column(rows: Any, column: str) -> set[Any]:
    return set(rows.values_list(column, flat=True))


def _erasures() -> dict[str, float | int | None]:
    took = Withdrawal.objects.exclude(finished_at=None).annotate(took=F("finished_at") - F("requested_at"))
    found = took.aggregate(
        finished=Count("pk"), median=Median("took", output_field=DurationField()), longest=Max("took")
    )
    return {"finished": found["finished"]} | {
        what: None if found[what] is None else round(found[what].total_seconds() / 60, 1)
        for what in ("median", "longest")
    }


def _removed(orphan: Orphan, now: datetime) -> bool:
    kind, name = orphan
    if kind not in REMOVABLE or not _is_older(name, now - REMOVED_AFTER):
        return False
    storages["vault"].delete(name)
    return True


def _is_older(name: str, than: datetime) -> bool:
    try:
        return storages["vault"].get_modified_time(name) < than
    except FileNotFoundError:  # gone meanwhile
        return False


def _walk(storage: Storage, folder: str) -> Iterator[str]:
    """The names of all files; one folder's listing in memory at a time."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in files)
    for name in folders:
        yield from _walk(storage, f"{folder}{name}/")


def _numbers(rows: Any) -> Iterator[int]:
    return rows.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=AT_ONCE)


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(items)
    while batch := list(islice(remaining, AT_ONCE)):
        yield batch
