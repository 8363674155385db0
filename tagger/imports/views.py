"""An owner's pages for bringing clips: make an import, send files, look, start, undo, withdraw people."""

import csv
import hashlib
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from accounts.ciphers import KeyLost
from accounts.posting import posted_from
from accounts.roles import PersonalRequest
from datasets.clips import folders
from datasets.clips.sources import BadSource
from datasets.imports import ending, gathering, planning, report, running, sealing, tables, tasks
from datasets.imports.refusals import ImportRefused
from datasets.imports.wording import in_words
from datasets.models import Campaign, Import, ImportFile
from datasets.owners import owner_page

from . import undoing, withdrawing
from .import_form import ImportForm, WithdrawForm, choices_for_columns

MAX_FORM_BYTES = 32 * 2**20  # of the form without script
SHOWN_REFUSED = 100
SHOWN_IMPORTS = 50
State = Import.State

TOO_LARGE = gettext_lazy("These files are larger together than the form takes. Send fewer at a time.")


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def imports(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    form = ImportForm(request.POST or None)
    if form.is_valid():
        try:
            run = gathering.make(
                campaign,
                request.user,
                form.cleaned_data["collection"],
                form.cleaned_data["reference"],
                timezone.now(),
                licence=form.spdx,
                public=form.cleaned_data["audience"] == "public",
            )
        except ImportRefused as refused:
            form.add_error(None, in_words(refused))
        else:
            return redirect("campaign_import", campaign.slug, run.pk)
    return _imports_page(request, campaign, form, WithdrawForm())


def _imports_page(
    request: PersonalRequest,
    campaign: Campaign,
    form: ImportForm,
    withdrawal: WithdrawForm,
    withdrawn: Sequence[Any] | None = None,
) -> HttpResponse:
    runs = campaign.imports.select_related("owner__data_key").order_by("-pk")[:SHOWN_IMPORTS]
    context = {
        "campaign": campaign,
        "tab": "import",
        "form": form,
        "runs": [(run, _name_of(run), running.counts(run)) for run in runs],
        "withdrawal": withdrawal,
        "withdrawn": withdrawn,
    }
    return render(request, "tagger/imports/imports.html", context)


def _name_of(run: Import) -> str:
    """The collection's name; empty once nobody can read it any more."""
    try:
        return str(sealing.about(sealing.key_of(run), run)["collection"])
    except (ImportRefused, KeyLost):
        return ""


@require_GET
@owner_page
def one_import(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    return _import_page(request, campaign, _run(campaign, pk))


def _import_page(request: PersonalRequest, campaign: Campaign, run: Import, wrong: str = "") -> HttpResponse:
    context = {
        "campaign": campaign,
        "tab": "import",
        "run": run,
        "collection": _name_of(run),
        "counts": running.counts(run),
        "wrong": wrong,
        "is_over": run.state not in (State.GATHERING, State.RUNNING),
    }
    try:
        context |= _gathered(request, run) if run.state == State.GATHERING else _told(run)
    except ImportRefused as refused:
        context["wrong"] = in_words(refused)
    return render(request, "tagger/imports/import.html", context)


def _gathered(request: HttpRequest, run: Import) -> dict[str, Any]:
    """What the page says while files come in; how they would be read, as soon as there is a recording."""
    waiting = run.files.filter(state=ImportFile.State.WAITING)
    incomplete = sum(file.received < file.size for file in waiting.only("received", "size").iterator())
    sounds = waiting.filter(kind=ImportFile.Kind.SOUND).count()
    found: dict[str, Any] = {
        "incomplete": incomplete,
        "sounds": sounds,
        "can_start": bool(sounds),
        "refused": _refused(run),
        "endings": " ".join([*sorted(folders.AUDIO_NAMES), *tables.ENDINGS]),
        "table_names": " ".join(sorted(tables.FEATURES)),
    }
    if not waiting.exists() or waiting.count() == incomplete:
        return found
    wanted, fields = request.POST.get("reading", request.GET.get("reading", "")), _fields(request)
    try:
        shown = planning.preview(run, wanted, fields)
    except ImportRefused:
        shown = planning.preview(run)
    return found | {
        "preview": shown,
        "can_start": bool(sounds) or shown.reading.layout == tables.Layout.ARCHIVE,
        "readings": [(str(each), _reading_in_words(each)) for each in shown.readings],
        "columns": [(f"column-{number}", column) for number, column in enumerate(shown.columns)],
        "cells": list(zip(*(column.cells for column in shown.columns), strict=False)),
        "choices": choices_for_columns(),
        "fault": in_words(shown.fault) if shown.fault else "",
    }


def _told(run: Import) -> dict[str, Any]:
    return {"refused": _refused(run)}


def _refused(run: Import) -> list[report.RefusedFile]:
    return list(report.refused(run, most=SHOWN_REFUSED))


def _reading_in_words(reading: tables.Reading) -> str:
    words = {
        tables.Layout.ARCHIVE: _("an archive of a release, or files that hold many recordings"),
        tables.Layout.FILES: _("the recordings alone"),
        tables.Layout.FOLDERS: _("folders wake-word and not-wake-word (Precise)"),
        tables.Layout.COLUMNS: _("the table %(table)s"),
        tables.Layout.LIBRISPEECH: _("LibriSpeech: files .trans.txt"),
        tables.Layout.NEMO: _("NeMo: the manifest %(table)s"),
        tables.Layout.KALDI: _("Kaldi: %(table)s and the files beside it"),
        tables.Layout.TAGS: _("Precise: the tags in %(table)s"),
    }
    return words[reading.layout] % {"table": reading.table}


@csrf_exempt  # checking the token reads the whole body, so its size is checked first
@posted_from(lambda request, slug, pk: reverse("campaign_import", args=[slug, pk]))
@owner_page
def send_files(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    """A few files from the form without script."""
    run = _run(campaign, pk)
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_FORM_BYTES:
        messages.error(request, str(TOO_LARGE))
        return redirect("campaign_import", campaign.slug, pk)
    return _receive(request, run)


@csrf_protect
def _receive(request: PersonalRequest, run: Import) -> HttpResponse:
    sent = [file for file in request.FILES.getlist("files") if isinstance(file, UploadedFile)]
    bodies = [(file.name or "", file.read()) for file in sent]
    try:
        named = [gathering.Named(name, len(body), hashlib.sha256(body).hexdigest()) for name, body in bodies]
        rows = gathering.name_files(run, named, timezone.now())
        parts = [
            gathering.Part(row.pk, row.received, body[row.received :])
            for row, (_name, body) in zip(rows, bodies, strict=True)
            if row.state == ImportFile.State.WAITING and row.received < row.size
        ]
        gathering.receive(run, parts, timezone.now())
    except ImportRefused as refused:
        messages.error(request, in_words(refused))
    else:
        number = len(bodies)
        words = ngettext("%(number)d file was sent.", "%(number)d files were sent.", number)
        messages.success(request, words % {"number": number})
    return redirect("campaign_import", run.campaign.slug, run.pk)


@posted_from(lambda request, slug, pk: reverse("campaign_import", args=[slug, pk]))
@owner_page
def start(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    run = _run(campaign, pk)
    try:
        running.start(
            run,
            timezone.now(),
            reading=request.POST.get("reading", ""),
            fields=_fields(request),
            without_incomplete="without_incomplete" in request.POST,
        )
    except (ImportRefused, BadSource) as refused:
        return _import_page(request, campaign, run, wrong=in_words(refused))
    tasks.proceed.delay_on_commit()  # type: ignore[attr-defined]
    return redirect("campaign_import", campaign.slug, pk)


def _fields(request: HttpRequest) -> list[str] | None:
    """What the form says of each column; None if it has none, or is of another table."""
    number = 0
    fields = []
    while (field := request.POST.get(f"column-{number}")) is not None:
        fields.append(field)
        number += 1
    is_other = request.POST.get("shown", "") != request.POST.get("reading", "")
    return fields if fields and not is_other else None


@require_GET
@owner_page
def refused_csv(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    run = _run(campaign, pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    _write_csv(response, run)
    response["Content-Disposition"] = f'attachment; filename="import-{run.pk}-refused.csv"'
    return response


def _write_csv(to: HttpResponse, run: Import) -> None:
    to.write("\ufeff")
    writer = csv.writer(to)
    writer.writerow(["file", "code", "reason"])
    try:
        for each in report.refused(run):
            writer.writerow([_as_text(each.name), each.why.code, _as_text(each.reason)])
    except ImportRefused:  # its owner left, and with them the names
        pass


def _as_text(cell: str) -> str:
    """A spreadsheet would take a cell that begins so for a formula, and carry it out."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


@posted_from(lambda request, slug, pk: reverse("campaign_import", args=[slug, pk]))
@owner_page
def cancel(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    return _ended(request, campaign, pk, lambda run: ending.cancel(run, timezone.now()))


@posted_from(lambda request, slug, pk: reverse("campaign_import", args=[slug, pk]))
@owner_page
def undo(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    if "is_sure" not in request.POST:
        messages.error(request, _("Say that you are sure: undoing an import cannot be taken back."))
        return redirect("campaign_import", campaign.slug, pk)
    return _ended(request, campaign, pk, lambda run: undoing.undo(run, request.user, timezone.now()))


def _ended(request: PersonalRequest, campaign: Campaign, pk: int, act: Any) -> HttpResponse:
    try:
        act(_run(campaign, pk))
    except ImportRefused as refused:
        messages.error(request, in_words(refused))
    return redirect("campaign_import", campaign.slug, pk)


@posted_from(lambda request, slug: reverse("campaign_imports", args=[slug]))
@owner_page
def withdraw(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """Imported people, by their names in the collection."""
    form = WithdrawForm(request.POST)
    withdrawn = None
    if form.is_valid():
        said = form.cleaned_data
        speaker = said["speaker"].strip() if said["who"] == "one" else None
        now = timezone.now()
        withdrawn = withdrawing.withdraw_people(campaign, said["collection"], speaker, request.user, now)
        form = WithdrawForm()
    return _imports_page(request, campaign, ImportForm(), form, withdrawn)


def _run(campaign: Campaign, pk: int) -> Import:
    return get_object_or_404(campaign.imports.select_related("campaign", "owner__data_key"), pk=pk)
