"""The audit record, for admins: read it, have its chain checked, download it. Reading is an event too."""

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db import models
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from . import audit, audit_words, reauthentication
from .models import AuditCheck, AuditEvent
from .posting import posted_from
from .roles import PersonalRequest, admin_required

PAGE_SIZE = 50
_RECORD = "audit record"


class Filters(forms.Form):
    """Which events to show. Any field may be empty; an invalid one is shown with its error, and left out."""

    act = forms.ChoiceField(
        label=gettext_lazy("Event"),
        required=False,
        choices=[("", gettext_lazy("all")), *AuditEvent.Act.choices],
    )
    person = forms.IntegerField(
        label=gettext_lazy("Person's number"), required=False, min_value=1, max_value=2**63 - 1
    )
    about = forms.CharField(
        label=gettext_lazy("About"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("exactly, such as “clip 12”"),
    )
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    before = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput
    )  # older than the event with this number

    def chosen(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    def events(self) -> models.QuerySet[AuditEvent]:
        """Newest first."""
        chosen = self.chosen()
        wanted: dict[str, Any] = {name: chosen[name] for name in ("act", "person", "about") if name in chosen}
        if "since" in chosen:
            wanted["at__gte"] = _midnight(chosen["since"])
        if "until" in chosen:
            wanted["at__lt"] = _midnight(chosen["until"] + timedelta(days=1))
        if "before" in chosen:
            wanted["number__lt"] = chosen["before"]
        return AuditEvent.objects.filter(**wanted).order_by("-number")


@require_GET
@admin_required
def record(request: PersonalRequest) -> HttpResponse:
    filters = Filters(request.GET)
    audit.record_once(audit.Act.LOOKED, _RECORD, request.user, timezone.now())
    found = list(filters.events()[: PAGE_SIZE + 1])
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "filters": filters,
        "rows": [(event, audit_words.sentences(event)) for event in found[:PAGE_SIZE]],
        "newest": query.urlencode() if "before" in filters.chosen() else None,
        "query": query.urlencode(),
        "older": found[PAGE_SIZE - 1].number if len(found) > PAGE_SIZE else None,
        "check": AuditCheck.objects.first(),
    }
    return render(request, "accounts/audit.html", context)


@posted_from("audit")
@admin_required
def check(request: PersonalRequest) -> HttpResponse:
    audit.ask_for_check(timezone.now())
    messages.success(request, _("The check has started. Load this page again in a minute."))
    return redirect("audit")


@require_GET
@admin_required
@reauthentication.required("GET")
def lines(request: PersonalRequest) -> StreamingHttpResponse:
    """The chosen events, oldest first, as JSON lines: with all events, anyone can compute the chain again."""
    filters, now = Filters(request.GET), timezone.now()
    audit.record(audit.Act.EXPORTED_RECORD, _RECORD, request.user, now, _said(filters))
    response = StreamingHttpResponse(_lines(filters.events().reverse()), content_type="application/jsonl")
    response["Content-Disposition"] = f'attachment; filename="audit-record-{now:%Y-%m-%d}.jsonl"'
    return response


def _lines(events: models.QuerySet[AuditEvent]) -> Iterator[bytes]:
    for event in events.iterator():
        told = audit.content(event) | {"person": event.person_id, "sha256": event.sha256}
        yield json.dumps(told, ensure_ascii=False).encode() + b"\n"


def _said(filters: Filters) -> dict[str, Any]:
    """The filters, for the event of the download. A person is a number."""
    return {name: str(value) for name, value in filters.chosen().items()}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_default_timezone())
