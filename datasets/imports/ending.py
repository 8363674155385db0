"""Ends imports: cancelled, too old, or of an owner who leaves. Nothing waits after the end."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from datasets.models import Import, ImportFile, ImportPart

from . import parts
from .refusals import BringingRefusal, ImportRefused

REASONS_KEPT = timedelta(days=30)
ORPHANS_AFTER = timedelta(hours=1)  # longer than any request lasts
State = Import.State
BATCH_SIZE = 2_000
UNFINISHED = (State.GATHERING, State.RUNNING)


def cancel(run: Import, now: datetime) -> None:
    """Add nothing more of it, and delete what waits. What was added stays. Raises ImportRefused."""
    if not _end(run, State.CANCELLED, now, UNFINISHED):
        raise ImportRefused(BringingRefusal.NOTHING_TO_CANCEL)
    clear(run)


def cancel_unreadable(run: Import, now: datetime) -> None:
    """One whose key is gone: nobody can read what waits."""
    if _end(run, State.CANCELLED, now, UNFINISHED):
        clear(run)


def begin_undoing(run: Import, now: datetime) -> None:
    """Nothing more is added from this moment on, so that what was added can be withdrawn whole.

    Raises ImportRefused.
    """
    if not _end(run, State.UNDOING, now, (State.RUNNING, State.DONE, State.CANCELLED)):
        raise ImportRefused(BringingRefusal.NOTHING_TO_UNDO)
    clear(run)


def undone(run: Import) -> None:
    Import.objects.filter(pk=run.pk, state=State.UNDOING).update(state=State.UNDONE)


def clear(run: Import) -> None:
    """Delete everything of an ended import that waits, and keep its counts. May be killed and run again."""
    waiting = ImportFile.State.WAITING
    while True:
        parts.discard(ImportPart.objects.filter(file__run=run))
        with transaction.atomic():
            Import.objects.select_for_update(no_key=True).get(pk=run.pk)
            list(run.files.select_for_update().order_by("pk").values_list("pk"))
            # A request may have stored a part after it saw the import open, and before its files were locked.
            if ImportPart.objects.filter(file__run=run).exists():
                continue
            if not run.counts:
                sounds = run.files.filter(kind=ImportFile.Kind.SOUND).exclude(state=waiting)
                counted = {state: sounds.filter(state=state).count() for state in ImportFile.State.values}
                Import.objects.filter(pk=run.pk, counts={}).update(counts=counted)
            delete_files(run.files.exclude(state=ImportFile.State.REFUSED))
            Import.objects.filter(pk=run.pk).update(is_clear=True)
        return


def delete_files(files: QuerySet[ImportFile]) -> None:
    """Their rows, whose parts are gone."""
    while some := list(files.values_list("pk", flat=True)[:BATCH_SIZE]):
        ImportFile.objects.filter(pk__in=some).delete()


def sweep(now: datetime) -> int:
    """Cancel what nobody went on with, finish what was left, forget old reasons; returns how many ended."""
    old = Import.objects.filter(state=State.GATHERING, used_at__lt=now - timedelta(days=settings.IMPORT_DAYS))
    ended = 0
    for run in old:
        cancel_unreadable(run, now)
        ended += 1
    for run in Import.objects.filter(is_clear=False).exclude(state__in=UNFINISHED):
        clear(run)
    for run in Import.objects.filter(ended_at__lt=now - REASONS_KEPT, files__isnull=False).distinct():
        delete_files(run.files.all())
    parts.destroy_orphans(now - ORPHANS_AFTER)
    return ended


def forget(owner: User, now: datetime) -> int:
    """Erase what this person's imports hold besides clips, which are their speakers'; returns how many."""
    runs = list(owner.imports.order_by("pk"))
    for run in runs:
        _end(run, State.CANCELLED, now, UNFINISHED)
        clear(run)
        delete_files(run.files.all())
    owner.imports.update(owner=None, wrapped_key=b"", sealed_about=b"")
    return len(runs)


def _end(run: Import, state: Import.State, now: datetime, only: tuple[Import.State, ...]) -> bool:
    """False if it was in no state from which this can be."""
    with transaction.atomic():
        locked = Import.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.state not in only:
            return False
        Import.objects.filter(pk=run.pk).update(state=state, ended_at=now)
    run.refresh_from_db()
    return True
