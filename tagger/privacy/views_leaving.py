"""Download one's data, withdraw consent, leave; and the page of an erasure receipt."""

from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit, known_browsers, reauthentication, receipts
from accounts.browser_data import forget_everything, forget_pages
from accounts.caching import uncached
from accounts.models import Material, Purpose
from accounts.posting import posted_from
from accounts.roles import PersonalRequest, open_without_factor
from datasets.models import Withdrawal

from . import erasure, personal_data, withdrawal

Choice = TypeVar("Choice", Material, Purpose)

KEEP, REMOVE = "keep", "remove"
STORES = {
    "clips": gettext_lazy("clips"),
    "files": gettext_lazy("sound files"),
    "tasks": gettext_lazy("questions asked about clips"),
    "annotations": gettext_lazy("other people's answers about them"),
    "release_rows": gettext_lazy("entries in releases"),
    "line_splits": gettext_lazy("places in the training or test part of releases"),
    "answers": gettext_lazy("answers about other people's clips"),
    "answer_names": gettext_lazy("answers that stay, and no longer say whose they were"),
    "objections": gettext_lazy("answers that you asked reviewers to hear again"),
    "repeats": gettext_lazy("second answers to clips that you were given again"),
    "decisions": gettext_lazy("decisions that no longer say who made them"),
    "checks": gettext_lazy("checks before publication that no longer say who made them"),
    "assignments": gettext_lazy("records of what was lent to you"),
    "reliabilities": gettext_lazy("figures about how you answer"),
    "track_records": gettext_lazy("track records"),
    "memberships": gettext_lazy("memberships of teams"),
    "participations": gettext_lazy("invitations to campaigns that you accepted"),
    "reviewing": gettext_lazy("campaigns that you reviewed for their owners"),
    "challenges": gettext_lazy("challenges that you took part in"),
    "devices": gettext_lazy("devices"),
    "factors": gettext_lazy("second factors"),
    "tokens": gettext_lazy("tokens"),
    "sessions": gettext_lazy("sessions"),
    "admin_log": gettext_lazy("lines in the admin log"),
    "audit_names": gettext_lazy("entries in the record of who listened and decided"),
}


class LeaveForm(forms.Form):
    answers = forms.ChoiceField(
        label=gettext_lazy("What should happen to your answers about other people's clips?"),
        choices=[
            (KEEP, gettext_lazy("Keep my answers without me")),
            (REMOVE, gettext_lazy("Remove them too")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose one of the two.")},
    )


@open_without_factor
@require_GET
@login_required
@reauthentication.required("GET", page="profile")
def my_data(request: PersonalRequest) -> StreamingHttpResponse:
    now = timezone.now()
    audit.record(audit.Act.TOOK_ALONG, f"person {request.user.pk}", request.user, now)
    response = StreamingHttpResponse(personal_data.archive(request.user, now), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="my-data-{now:%Y-%m-%d}.zip"'
    return response


@open_without_factor
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
@reauthentication.required("POST")
def leave(request: PersonalRequest) -> HttpResponse:
    if request.method == "POST":
        form = LeaveForm(request.POST)
    else:
        form = LeaveForm(initial=reauthentication.resumed(request).dict())
    if not form.is_valid():
        return render(
            request, "tagger/privacy/leave.html", {"form": form}, status=400 if form.errors else 200
        )
    keep_answers = form.cleaned_data["answers"] == KEEP
    token = erasure.erase_account(request.user, keep_answers, timezone.now())
    logout(request)
    response = forget_everything(_go_on(request, reverse("erasure_receipt", args=[token])))
    known_browsers.forget(response)
    return response


def _go_on(request: HttpRequest, address: str) -> HttpResponse:
    """To the next page: the browser itself, or a script, which is told the address."""
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"location": address})
    return redirect(address)


@open_without_factor
@posted_from("consent")
@login_required
def withdraw_consent(request: PersonalRequest) -> HttpResponse:
    """Withdraw everything, or the consent next to the button. Asks no question and no reason."""
    material = _one_of(Material, request.POST.get("material", ""))
    purpose = _one_of(Purpose, request.POST.get("purpose", ""))
    done = erasure.withdraw(request.user, timezone.now(), material, purpose)
    if done.consents:
        words = ngettext("Withdrawn: %(count)d consent.", "Withdrawn: %(count)d consents.", done.consents)
        where = _("Your receipt is at the top of the list at the end of the page “What you share”.")
        messages.success(request, words % {"count": done.consents} + " " + where)
    if done.token:
        return forget_pages(redirect("erasure_receipt", done.token))
    return redirect("consent")


@open_without_factor
@require_GET
def erasure_receipt(request: HttpRequest, token: str) -> HttpResponse:
    """Open to anyone who has the address, because a person who left cannot log in."""
    document = _document(token)
    context = {
        "token": token,
        "document": document,
        "address": request.build_absolute_uri(request.path),
        "is_finished": document["finished_at"] is not None,
        "requested_at": parse_datetime(document["requested_at"]),
        "scope": Withdrawal.Scope(document["scope"]),
        "counts": [(words, document["erased"].get(store, 0)) for store, words in STORES.items()],
        "written": receipts.as_file(document).decode(),
    }
    response = render(request, "tagger/privacy/erasure_receipt.html", context)
    return _private(response)


@open_without_factor
@require_GET
def erasure_receipt_file(request: HttpRequest, token: str) -> HttpResponse:
    """Answers 202 until the erasure is finished, so that a program can poll it."""
    document = _document(token)
    status = 200 if document["finished_at"] else 202
    response = HttpResponse(receipts.as_file(document), content_type="application/json", status=status)
    response["Content-Disposition"] = 'attachment; filename="erasure-receipt.json"'
    return _private(response)


def _document(token: str) -> dict[str, Any]:
    document = withdrawal.receipt(token)
    if document is None:
        raise Http404("no such receipt")
    return document


def _private(response: HttpResponse) -> HttpResponse:
    """The address itself is the credential, so no cache may store it and no other site may learn it."""
    response["Referrer-Policy"] = "no-referrer"
    return uncached(response)


def _one_of(choices: type[Choice], value: str) -> Choice | None:
    """The choice with this value, or None for all if it is empty. Answers 404 to an unknown value."""
    if not value:
        return None
    try:
        return choices(value)
    except ValueError:
        raise Http404("no such consent") from None
