"""The owner's list of clips, with filters, and the page and sound of one of them."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import audit
from accounts.caching import uncached
from accounts.keys import KeyLost
from accounts.models import Purpose
from accounts.roles import PersonalRequest
from datasets.clips import byteranges, hearing
from datasets.models import Campaign, Task, not_held
from datasets.owners import owner_page
from tagger.review import evidence
from tagger.settling import version

from . import jobs, rows, saved_views, selection, wording
from .act_form import ActForm
from .filter_form import FilterForm


@require_GET
@owner_page
def clips(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    return page(request, campaign, FilterForm(request.GET, campaign), ActForm())


def page(
    request: PersonalRequest, campaign: Campaign, form: FilterForm, act_form: ActForm, status: int = 200
) -> HttpResponse:
    """The list; with errors in its filter, no clips but what is wrong."""
    now, below = timezone.now(), _below(request.GET.get("below", ""))
    found = selection.find(form.selection(), below) if form.is_valid() else None
    shown = rows.of(campaign, found.ids, now) if found else []
    context = {
        "campaign": campaign,
        "tab": "clips",
        "form": form,
        "act_form": act_form,
        "is_filtered": form.is_bound and bool(form.query()),
        "query": form.query(),
        "rows": shown,
        "found": found,
        "window": selection.WINDOW,
        "is_first": below is None,
        "views": saved_views.of(campaign, request.user),
        "jobs": [(job, list(wording.why_refused(job))) for job in jobs.lately(campaign, request.user)],
    }
    return render(request, "tagger/explorer/clips.html", context, status=status if found else 400)


def _below(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else None


@require_GET
@owner_page
def clip(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    """One clip: its answers with their weights, and what the engine makes of them, in words."""
    task, now = _task(campaign, pk), timezone.now()
    row = next(iter(rows.of(campaign, [task.pk], now)), None)
    if row is None:
        raise Http404
    try:
        seen = evidence.of_task(task, now) if row.is_live else None
        certificate = task.certificate if row.is_live else None
    except KeyLost:  # the speaker left while this request ran
        raise Http404 from None
    context = {
        "campaign": campaign,
        "tab": "clips",
        "row": row,
        "evidence": seen,
        "certificate": certificate or None,
        "is_of_earlier_engine": version.is_earlier(certificate),
    }
    return render(request, "tagger/explorer/clip.html", context)


@require_GET
@owner_page
def audio(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    """As volunteers hear it, while they may; otherwise 404."""
    task = _task(campaign, pk)
    if not Task.objects.filter(pk=task.pk).live_for(Purpose.VOLUNTEERS).exists():
        raise Http404
    audit.record_hearing(f"clip {task.clip_id}", request.user, timezone.now())
    try:
        return byteranges.sound(request, hearing.for_volunteers(task.clip))
    except (KeyLost, FileNotFoundError):
        raise Http404 from None


def _task(campaign: Campaign, clip: int) -> Task:
    some = Task.objects.filter(campaign=campaign, clip__withdrawal=None).filter(not_held("clip__held_until"))
    return get_object_or_404(some.select_related("campaign", "clip__contributor__data_key"), clip=clip)


@require_GET
@owner_page  # type: ignore[arg-type]
def table(request: PersonalRequest, campaign: Campaign) -> HttpResponseBase:
    """The selection as CSV, written while it is sent."""
    form = FilterForm(request.GET, campaign)
    if not form.is_valid():
        return page(request, campaign, form, ActForm(), status=400)
    response = StreamingHttpResponse(
        _csv(rows.table(form.selection())), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{campaign.slug}-clips.csv"'
    return uncached(response)


def _csv(lines: Iterable[list[Any]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for line in lines:
        writer.writerow([_cell(value) for value in line])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _cell(value: Any) -> Any:
    """A transcript that begins like a formula is none to a spreadsheet."""
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value
