"""Check that every stored file has its row, its key and its live consent, and the other way round.

One pass over the files and one over the rows, with one batch of either in memory at a time. People share
and leave while this runs, so anything that looks wrong is checked a second time by itself before it counts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.core.files.storage import Storage, storages
from django.db.models import Aggregate, Count, DurationField, Exists, F, Max, OuterRef
from django.utils.translation import gettext_lazy as _

from accounts import ciphers, key_copy, keyring, keys
from accounts.consent import live_for
from accounts.models import GONE, DataKey, Purpose, User
from datasets.clips import vault
from datasets.models import Annotation, Clip, Reconciliation, ReleaseRow, Withdrawal

from . import rotation

KINDS = {
    "files_without_rows": _("files without a clip"),
    "leftover_drafts": _("temporary files of interrupted writes"),
    "rows_without_files": _("clips without their file"),
    "keys_that_do_not_open": _("clips whose key does not work"),
    "clips_without_consent": _("clips without live consent"),
    "clips_past_erasure": _("clips left over after an erasure"),
    "keys_without_owner": _("keys whose owner is gone"),
    "missing_masters": _("missing master keys"),
    "overdue_erasures": _("erasures unfinished after 5 minutes"),
    "answers_naming_the_gone": _("answers that still name someone who left"),
    "release_rows_without_clip": _("released rows without a clip"),
    "overdue_in_backups": _("erasures that old backups still open after 24 hours"),
    "unreadable_keys": _("people’s keys that can no longer be read"),
}
# No row says whose these files are, so no one can open them or ask for them, and they can go.
REMOVABLE = ("files_without_rows", "leftover_drafts")

# A file is written before its row commits, so a younger one may belong to an upload in progress.
GRACE = timedelta(seconds=60)
# Removing cannot be undone, so it waits for longer than any process can stall.
REMOVED_AFTER = timedelta(hours=1)
ERASED_WITHIN = timedelta(minutes=5)
BATCH_SIZE = 2_000

# A kind, and one object of that kind: the name of a file, or the number of a row.
Orphan = tuple[str, str]


class Median(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


def reconcile(
    now: datetime, *, remove: bool = False, on_orphan: Callable[[Orphan], Any] = lambda orphan: None
) -> Reconciliation:
    """Check everything and store the counts. `on_orphan` is called with each orphan that is not removed.

    With `remove`, files in `REMOVABLE` that are older than an hour are deleted and do not count as orphans.
    """
    totals: Counter[str] = Counter(clips=0, files=0, keys=DataKey.objects.count())
    orphans: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    for orphan in _orphans(now, totals):
        if remove and _removed(orphan, now):
            totals["removed"] += 1
        else:
            orphans[orphan[0]] += 1
            on_orphan(orphan)
    return Reconciliation.objects.create(
        looked_at=now, held=dict(totals), orphans=dict(orphans), erasures=_erasure_times()
    )


def _orphans(now: datetime, totals: Counter[str]) -> Iterator[Orphan]:
    yield from _orphaned_files(now, totals)
    yield from _faulty_clips(totals)
    yield from (("keys_without_owner", str(owner)) for owner in _owners_gone_whose_key_remains())
    used = DataKey.objects.order_by("master").values_list("master", flat=True).distinct()
    yield from (("missing_masters", name) for name in used if name not in keyring.masters())
    late = Withdrawal.objects.filter(finished_at=None, requested_at__lt=now - ERASED_WITHIN)
    yield from (("overdue_erasures", str(pk)) for pk in _numbers(late))
    gone = User.objects.filter(username__startswith=GONE)
    naming = Annotation.objects.filter(annotator__in=gone)
    yield from (("answers_naming_the_gone", str(pk)) for pk in _numbers(naming))
    without_clip = ReleaseRow.objects.filter(~Exists(Clip.objects.filter(tasks=OuterRef("task_id"))))
    yield from (("release_rows_without_clip", str(pk)) for pk in _numbers(without_clip))
    yield from (("overdue_in_backups", str(pk)) for pk in _numbers(rotation.overdue(now)))
    unreadable = DataKey.objects.exclude(unreadable_since=None)
    yield from (("unreadable_keys", str(pk)) for pk in _numbers(unreadable))


def _orphaned_files(now: datetime, totals: Counter[str]) -> Iterator[Orphan]:
    for names in _batches(_walk(storages["vault"], "")):
        complete = [name for name in names if not name.endswith(".part")]
        totals["files"] += len(complete)
        known = set(Clip.objects.filter(stored_as__in=complete).values_list("stored_as", flat=True))
        for name in names:
            if name not in known and _is_older(name, now - GRACE):
                if name.endswith(".part"):
                    yield "leftover_drafts", name
                elif not Clip.objects.filter(stored_as=name).exists():
                    yield "files_without_rows", name


def _faulty_clips(totals: Counter[str]) -> Iterator[Orphan]:
    last = 0
    while batch := list(_clips().filter(pk__gt=last).order_by("pk")[:BATCH_SIZE]):
        last = batch[-1].pk
        totals["clips"] += len(batch)
        for clip in batch:
            if any(_faults(clip)) and (reread := _clips().filter(pk=clip.pk).first()):
                yield from ((kind, str(reread.pk)) for kind in _faults(reread))


def _clips() -> Any:
    """With everything that `_faults` reads."""
    covered = live_for("contributor", "material", Purpose.VOLUNTEERS)
    return Clip.objects.select_related("contributor__data_key", "withdrawal").annotate(covered=covered)


def _faults(clip: Any) -> Iterator[str]:
    if clip.withdrawal is not None:
        # An erasure in progress has removed part of the clip already; overdue ones are a kind of their own.
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
    except (keys.KeyLost, ValueError):  # ValueError: the stored bytes are too short for a wrapped key
        return False


def _owners_gone_whose_key_remains() -> Iterator[int | str]:
    """In the table of keys, or in its copy, which every erasure and every key rotation replaces."""
    still_here = User.objects.filter(pk=OuterRef("person_id")).exclude(username__startswith=GONE)
    yield from DataKey.objects.filter(~Exists(still_here)).values_list("person_id", flat=True)
    suspects = set(_copied_without_row())
    yield from suspects.intersection(_copied_without_row() if suspects else [])


def _copied_without_row() -> Iterator[int | str]:
    """People by number and clips by the name of their file, except those whose erasure is in progress."""
    for lines in _batches(key_copy.read()):
        people = {line["person"] for line in lines if "person" in line}
        yield from people - _column(DataKey.objects.filter(person__in=people), "person_id") - _leaving(people)
        clips = {line["clip"]: line["contributor"] for line in lines if "clip" in line}
        known = _column(Clip.objects.filter(stored_as__in=clips), "stored_as")
        leaving = _leaving(clips.values())
        yield from (name for name, owner in clips.items() if name not in known and owner not in leaving)


def _leaving(people: Iterable[int]) -> set[int]:
    return _column(Withdrawal.objects.filter(person_id__in=people, finished_at=None), "person_id")


def _column(rows: Any, column: str) -> set[Any]:
    return set(rows.values_list(column, flat=True))


def _erasure_times() -> dict[str, float | int | None]:
    """How many erasures are finished, and the median and longest time they took, in minutes."""
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
    except FileNotFoundError:  # deleted while this ran
        return False


def _walk(storage: Storage, folder: str) -> Iterator[str]:
    """The names of all files, with one folder's listing in memory at a time."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in files if f"{folder}{name}" != vault.MARK)
    for name in folders:
        yield from _walk(storage, f"{folder}{name}/")


def _numbers(rows: Any) -> Iterator[int]:
    return rows.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=BATCH_SIZE)


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH_SIZE)):
        yield batch
