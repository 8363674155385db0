"""Adds the files of imports as clips, some at a time. May be killed at any moment and run again.

What became of a file is stored in the transaction that stores its clip, so that nothing is added twice and
nothing is lost. Its bytes, its name and its words are deleted as soon as that is committed.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Count, F

from accounts import audit
from accounts.alone import alone
from accounts.ciphers import KeyLost
from accounts.refusals import Refusal
from datasets.clips.imports import ImportOutcome, ImportRun, Outcomes
from datasets.clips.sources import BadSource, FileRefused, ImportItem
from datasets.models import Import, ImportFile, Webhook
from datasets.webhooks import outbox

from . import ending, parts, planning, rows, sealing
from .refusals import BringingRefusal, ImportRefused, SentFault

logger = logging.getLogger(__name__)

IMPORT_LOCK = 7_307  # see accounts.models for the other advisory locks
BATCH_SIZE = 100
State, Kind = ImportFile.State, ImportFile.Kind
STATES = {ImportOutcome.ADDED: State.ADDED, ImportOutcome.EXISTING: State.HELD}

Clock = Callable[[], datetime]
TimeLeft = Callable[[], bool]


class Stopped(Exception):
    """The import was cancelled or undone meanwhile: nothing more of it is added."""


def start(
    run: Import,
    now: datetime,
    *,
    reading: str = "",
    fields: Sequence[str] | None = None,
    without_incomplete: bool = False,
) -> None:
    """Begin to add clips, read as `reading` says, with these `fields` for the columns of its table.

    Files that did not arrive whole are refused, if `without_incomplete` allows it. Raises ImportRefused, and
    datasets.clips.sources.BadSource if a table cannot be read to its end.
    """
    key = sealing.key_of(run)
    chosen = planning.check(run, key, reading, fields, run.licence)
    with transaction.atomic():
        locked = Import.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.state != Import.State.GATHERING:
            raise ImportRefused(BringingRefusal.NOT_GATHERING)
        waiting = run.files.select_for_update().filter(state=State.WAITING).order_by("pk")
        incomplete = list(waiting.filter(received__lt=F("size")))
        if incomplete and not without_incomplete:
            raise ImportRefused(BringingRefusal.INCOMPLETE, number=len(incomplete))
        for file in incomplete:
            rows.refuse(key, file, FileRefused(SentFault.INCOMPLETE))
        ImportFile.objects.bulk_update(incomplete, ["state", "sealed_about"], batch_size=500)
        about = sealing.about(key, run) | {"reading": str(chosen), "fields": list(fields) if fields else None}
        sealed = sealing.sealed_about(key, run, about)
        Import.objects.filter(pk=run.pk).update(
            state=Import.State.RUNNING, sealed_about=sealed, used_at=now, is_planned=False
        )
    run.refresh_from_db()


def proceed(clock: Clock, is_time_left: TimeLeft) -> bool:
    """Go on with the import that waited longest, if no one else goes on with one. Whether more is left."""
    with alone(IMPORT_LOCK) as is_mine:
        if not is_mine:
            return False
        running = Import.objects.filter(state=Import.State.RUNNING).select_related("campaign", "owner")
        run = running.order_by("used_at", "pk").first()
        if run is None:
            return False
        Import.objects.filter(pk=run.pk).update(used_at=clock())  # also if it fails, others come first
        try:
            _go_on(run, clock, is_time_left)
        except Stopped:
            ending.clear(run)
        return Import.objects.filter(state=Import.State.RUNNING).exists()


def _go_on(run: Import, clock: Clock, is_time_left: TimeLeft) -> None:
    try:
        key = sealing.key_of(run)
    except ImportRefused:  # its owner left, or the key is that of another time, after a restore
        ending.cancel_unreadable(run, clock())
        return
    if not run.is_planned:
        try:
            planning.plan(run, key)
        except BadSource:  # its table was lost since the start, in a restore
            ending.cancel_unreadable(run, clock())
            return
    parts.discard_read(run)
    _Adder(run, key, clock()).add_all(is_time_left)
    parts.discard_read(run)
    _finish(run, clock())


class _Adder:
    def __init__(self, run: Import, key: bytes, now: datetime) -> None:
        self.run, self.key = run, key
        about = sealing.about(key, run)
        self.importer = ImportRun(
            run.campaign,
            about["collection"],
            about["reference"],
            now,
            public=run.is_public,
            licence=run.licence,
            brought_by=run.pk,
            record=self.record,
        )

    def add_all(self, is_time_left: TimeLeft) -> None:
        try:
            self._add(self._items(is_time_left))
        except (Stopped, DatabaseError, OSError):
            raise
        except Exception:
            logger.exception("files of import %s cannot be added together; trying each alone", self.run.pk)
            self._add_alone(is_time_left)

    def _add_alone(self, is_time_left: TimeLeft) -> None:
        for item in self._items(is_time_left):
            try:
                self._add([item])
            except (Stopped, DatabaseError, OSError):
                raise
            except Exception:
                logger.exception("file %s of import %s cannot be added", item.number, self.run.pk)
                self.record([(item, FileRefused(SentFault.UNEXPECTED))])

    def _add(self, items: Iterable[ImportItem]) -> None:
        refused: list[tuple[ImportItem, ImportOutcome | Refusal]] = []
        for number, (item, outcome) in enumerate(self.importer.store_all(items), start=1):
            if isinstance(outcome, Refusal):
                refused.append((item, outcome))
            if number % BATCH_SIZE == 0:
                self._record_refused(refused)
                parts.discard_read(self.run)
        self._record_refused(refused)

    def _record_refused(self, refused: list[tuple[ImportItem, ImportOutcome | Refusal]]) -> None:
        """Those that were recorded with the clips of their batch are not recorded twice."""
        waiting = set(
            self.run.files.filter(
                pk__in=[item.number for item, _ in refused], state=State.WAITING
            ).values_list("pk", flat=True)
        )
        self.record([each for each in refused if each[0].number in waiting])
        refused.clear()

    @transaction.atomic
    def record(self, outcomes: Outcomes) -> None:
        """In the transaction that stores the clips. Raises Stopped, and then none of them is stored."""
        if not outcomes:
            return
        locked = Import.objects.select_for_update(no_key=True).get(pk=self.run.pk)
        by_number = {item.number: outcome for item, outcome in outcomes}
        files = self.run.files.select_for_update().filter(pk__in=by_number, state=State.WAITING)
        found = list(files.order_by("pk"))
        if locked.state != Import.State.RUNNING or len(found) != len(by_number):
            raise Stopped
        for file in found:
            outcome = by_number[file.pk]
            if isinstance(outcome, Refusal):
                rows.refuse(self.key, file, outcome)
            else:
                file.state, file.sealed_about = STATES[outcome], b""
        ImportFile.objects.bulk_update(found, ["state", "sealed_about"])

    def _items(self, is_time_left: TimeLeft) -> Iterator[ImportItem]:
        waiting = self.run.files.filter(state=State.WAITING, kind=Kind.SOUND).order_by("pk")
        last = 0
        while is_time_left() and (some := list(waiting.filter(pk__gt=last)[:BATCH_SIZE])):
            for file in some:
                if not is_time_left():
                    return
                yield self._item(file)
            last = some[-1].pk

    def _item(self, file: ImportFile) -> ImportItem:
        about = sealing.about_file(self.key, file)
        name, row = about["name"], about.get("row", {})
        return ImportItem(
            name, name, number=file.pk, read=lambda: _whole(self.key, file, about["sha256"]), **row
        )


def _whole(key: bytes, file: ImportFile, sha256: str) -> bytes:
    """The file's bytes, if they are what its sender has."""
    try:
        content = parts.read(key, file)
    except (FileNotFoundError, KeyLost) as error:  # after a restore: backups have no uploads
        raise FileRefused(SentFault.LOST) from error
    if len(content) != file.size or hashlib.sha256(content).hexdigest() != sha256:
        raise FileRefused(SentFault.DAMAGED)
    return content


def _finish(run: Import, now: datetime) -> None:
    """Once nothing waits: keep counts, and of files only those that were refused."""
    with transaction.atomic():
        locked = Import.objects.select_for_update(no_key=True).get(pk=run.pk)
        waiting = run.files.filter(state=State.WAITING).exists()
        if locked.state != Import.State.RUNNING or waiting:
            return
        counted = counts(run)
        ending.delete_files(run.files.exclude(state=State.REFUSED))
        Import.objects.filter(pk=run.pk).update(
            state=Import.State.DONE, counts=counted, ended_at=now, is_clear=True
        )
        told = {name: counted[name] for name in ("added", "held", "refused")}
        outbox.owe(Webhook.Event.IMPORT_FINISHED, run.campaign, now, **told, **{"import": run.pk})
        audit.record(audit.Act.IMPORTED, f"campaign {run.campaign.slug}", run.owner, now, {"clips": counted})


def counts(run: Import) -> dict[str, int]:
    """How many recordings by what became of them."""
    if run.counts:
        return dict(run.counts)
    rows = run.files.filter(kind=Kind.SOUND).values("state").annotate(number=Count("pk")).order_by()
    found: Counter[str] = Counter({row["state"]: row["number"] for row in rows})
    return {state: found[state] for state in State.values}
