"""An owner's act on many clips: asked for, and then done in bounded steps by a worker.

Each clip is one transaction, which also moves the job's place, so a job that is killed goes on where it was,
and does nothing twice.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.http import QueryDict

from accounts import audit
from accounts.keys import KeyLost
from accounts.models import User
from accounts.refusals import Refusal
from datasets.models import Campaign, Task
from tagger.models import ClipJob

from . import acts, selection
from .filter_form import FilterForm
from .refusals import ClipRefusal
from .selection import Found, Selection

BATCH_SIZE = 100
# Seconds of one run of the worker, which others wait for.
BUDGET = 2.0
STALLED = timedelta(seconds=30)
SHOWN = 5


def ask(
    campaign: Campaign,
    person: User,
    act: str,
    options: acts.Options,
    now: datetime,
    *,
    query: str = "",
    clips: Collection[int] = (),
) -> ClipJob:
    """Ask for an act on these clips or, without any, on all that the filter finds."""
    chosen = Task.objects.filter(campaign=campaign, clip__in=clips).order_by("-pk")
    return ClipJob.objects.create(
        campaign=campaign,
        person=person,
        act=act,
        options=options,
        query=query,
        chosen=list(chosen.values_list("pk", flat=True)),
        asked_at=now,
    )


def lately(campaign: Campaign, person: User) -> list[ClipJob]:
    """The person's last ones, newest first."""
    return list(ClipJob.objects.filter(campaign=campaign, person=person).order_by("-pk")[:SHOWN])


def stalled(now: datetime) -> list[int]:
    """The jobs that are not finished and that no worker is at."""
    idle = Q(worked_at=None) | Q(worked_at__lt=now - STALLED)
    return list(ClipJob.objects.filter(idle, finished_at=None).order_by("pk").values_list("pk", flat=True))


def work(pk: int, now: datetime) -> bool:
    """Go on with this job for BUDGET seconds; returns whether more is left for the same worker."""
    job = ClipJob.objects.select_related("campaign", "person").filter(pk=pk, finished_at=None).first()
    if job is None:
        return False
    ClipJob.objects.filter(pk=pk).update(worked_at=now)
    return go_on(job, now, time.monotonic() + BUDGET)


def go_on(job: ClipJob, now: datetime, until: float | None = None) -> bool:
    """Do what is left of the job, until that time of the monotonic clock; returns whether more is left.

    Who no longer runs the campaign does nothing more in it.
    """
    selected = _selection(job)
    if selected and (job.person.is_superuser or job.campaign.owner_id == job.person_id):
        for found in _batches(job, selected):
            for pk in found.ids:
                if until and time.monotonic() > until:
                    return True
                if not _do_one(job, pk, now):
                    return False  # another worker is at it, or its person left
            _looked_to(job, found.below)
    _finish(job, now)
    return False


def _selection(job: ClipJob) -> Selection | None:
    form = FilterForm(QueryDict(job.query), job.campaign)
    return form.selection() if form.is_valid() else None


def _batches(job: ClipJob, selected: Selection) -> Iterator[Found]:
    if job.chosen:
        left = [pk for pk in job.chosen if job.below is None or pk < job.below]
        yield Found(left, None)
        return
    below = job.below
    while True:
        found = selection.find(selected, below, BATCH_SIZE)
        yield found
        if found.below is None:
            return
        below = found.below


def _do_one(job: ClipJob, pk: int, now: datetime) -> bool:
    """Whether the job was still at the place that this worker read."""
    before, refused = job.below, dict(job.refused)
    try:
        with transaction.atomic():
            if not _hold(job, before):
                return False
            task = Task.objects.filter(pk=pk, clip__withdrawal=None).first()
            if task:
                acts.do(job.act, task, job.person, job.options, now)
            _move(job, pk, refused, done=1 if task else 0)
    except (Refusal, KeyLost) as why:
        code = why.code if isinstance(why, Refusal) else ClipRefusal.NOT_LIVE
        refused = dict(Counter(refused) + Counter({str(code): 1}))
        with transaction.atomic():
            if not _hold(job, before):
                return False
            _move(job, pk, refused, done=0)
    job.below, job.refused = pk, refused
    return True


def _hold(job: ClipJob, below: int | None) -> bool:
    place = ClipJob.objects.select_for_update().filter(pk=job.pk, finished_at=None)
    return list(place.values_list("below", flat=True)) == [below]


def _move(job: ClipJob, below: int, refused: dict[str, int], done: int) -> None:
    ClipJob.objects.filter(pk=job.pk).update(
        below=below, refused=refused, looked_at=F("looked_at") + 1, done=F("done") + done
    )


def _looked_to(job: ClipJob, below: int | None) -> None:
    """Move past tasks that the filter does not find."""
    is_further = below is not None and (job.below is None or below < job.below)
    if is_further and ClipJob.objects.filter(pk=job.pk, below=job.below).update(below=below):
        job.below = below


@transaction.atomic
def _finish(job: ClipJob, now: datetime) -> None:
    if not ClipJob.objects.filter(pk=job.pk, finished_at=None).update(finished_at=now):
        return
    job.refresh_from_db()
    details = {"act": job.act, **job.options, "clips": job.done, "refused": sum(job.refused.values())}
    audit.record(audit.Act.ACTED_ON_CLIPS, f"campaign {job.campaign.slug}", job.person, now, details)
