"""A steward's pages, to decide on requests and see who downloaded what; and a person's own requests."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.ciphers import KeyLost
from accounts.models import User
from accounts.posting import posted_from
from accounts.roles import PersonalRequest, open_without_factor, owner_required
from datasets.models import AccessRequest, Release

from . import asking, deciding, downloads, letters, recall_notices, sealing, standing
from .forms import DecisionForm
from .refusals import AccessRefused
from .sealing import About
from .standing import Standing
from .wording import in_words

PAGE = 50
State = AccessRequest.State


@dataclass(frozen=True)
class Shown:
    """A request as its steward and its person read it. Without `about` its words cannot be read any more."""

    asked: AccessRequest
    about: About | None
    pseudonym: str
    # Only for its person, as it depends on their second factor.
    standing: Standing | None = None


def shown(asked: AccessRequest) -> Shown:
    try:
        return Shown(asked, sealing.unseal(asked), asked.person.pseudonym)
    except KeyLost:
        return Shown(asked, None, "")


@require_safe
@owner_required
def requests(request: PersonalRequest) -> HttpResponse:
    """What waits for this steward, and who has access, in pages."""
    waiting = deciding.waiting_for(request.user).select_related("release", "person__data_key")
    granted = AccessRequest.objects.filter(
        state=State.GRANTED, release__in=deciding.stewarded_by(request.user), person__is_active=True
    )
    rows = granted.select_related("release", "person__data_key").order_by("-decided_at", "pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "waiting": [shown(each) for each in waiting[:PAGE]],
        "granted": [shown(each) for each in page.object_list],
        "page": page,
        "longest": deciding.LONGEST_REASON,
    }
    return render(request, "datasets/access/requests.html", context)


@posted_from("access_requests")
@owner_required
def decide(request: PersonalRequest, pk: UUID) -> HttpResponse:
    """`do` is grant, refuse or end; the latter two need a reason."""
    stewarded = deciding.stewarded_by(request.user)
    get_object_or_404(AccessRequest, pk=pk, release__in=stewarded)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was decided: that could not be read."))
        return redirect("access_requests")
    reason, now = form.cleaned_data["reason"], timezone.now()
    try:
        match form.cleaned_data["do"]:
            case "grant":
                deciding.grant(pk, request.user, now)
                messages.success(request, _("Granted. They can download it now."))
            case "refuse":
                deciding.refuse(pk, reason, request.user, now)
                messages.success(request, _("Refused. They read your reason on the page of the release."))
            case "end":
                deciding.end(pk, reason, request.user, now)
                messages.success(request, _("Their access has ended."))
    except AccessRefused as refused:
        messages.error(request, in_words(refused))
    except AccessRequest.DoesNotExist:  # deleted meanwhile, with its person
        raise Http404 from None
    return redirect("access_requests")


@require_safe
@owner_required
def release_downloads(request: PersonalRequest, slug: str) -> HttpResponse:
    """Who downloaded a release, when by day, and in which format; and who grants requests."""
    release = get_object_or_404(deciding.stewarded_by(request.user), slug=slug)
    page = Paginator(downloads.of_release(release), PAGE).get_page(request.GET.get("page"))
    context = {
        "release": release,
        "page": page,
        "downloads": downloads.described(release, page.object_list),
        "grants": Release.Grants,
    }
    return render(request, "datasets/access/downloads.html", context)


def _downloads_page(request: PersonalRequest, slug: str) -> str:
    return reverse("release_downloads", args=[slug])


@posted_from(_downloads_page)
@owner_required
def set_grants(request: PersonalRequest, slug: str) -> HttpResponse:
    release = get_object_or_404(deciding.stewarded_by(request.user), slug=slug)
    how = request.POST.get("grants", "")
    if how in Release.Grants.values:
        deciding.set_grants(release, Release.Grants(how), request.user, timezone.now())
        messages.success(request, _("Saved. What waits still waits for you."))
    else:
        messages.error(request, _("Choose who grants requests."))
    return redirect("release_downloads", slug)


@open_without_factor
@require_safe
@login_required
def mine(request: PersonalRequest) -> HttpResponse:
    """What somebody asked for, where they stand, and what they downloaded."""
    rows = _own(request.user).order_by("-asked_at", "pk")
    page = Paginator(downloads.of_person(request.user), PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "requests": [_own_shown(each, request.user) for each in rows],
        "page": page,
        "downloads": [row | {"slug": row["about"].removeprefix("release ")} for row in page.object_list],
        "is_told_of_recalls": recall_notices.is_wanted(request.user),
        "undelivered": letters.given_up(request.user),
    }
    return render(request, "datasets/access/mine.html", context)


@open_without_factor
@posted_from("my_releases")
@login_required
def withdraw(request: PersonalRequest, pk: UUID) -> HttpResponse:
    """From the terms of a release; by one button, and without a second factor."""
    asked = get_object_or_404(_own(request.user), pk=pk)
    asking.withdraw(asked, timezone.now())
    messages.success(request, _("You withdrew from the terms. Please delete your copies."))
    return redirect("my_releases")


@open_without_factor
@posted_from("my_releases")
@login_required
def set_recall_notice(request: PersonalRequest) -> HttpResponse:
    """Tick the box for e-mails about recalls, or untick it."""
    if request.POST.get("wanted") == "on":
        recall_notices.want(request.user, get_language() or settings.LANGUAGE_CODE)
        messages.success(request, _("Saved. We write to you when clips that you downloaded are recalled."))
    else:
        recall_notices.end(request.user, timezone.now())
        messages.success(request, _("Saved. We do not write to you about recalls."))
    return redirect("my_releases")


def _own(person: User) -> Any:
    return person.access_requests.select_related("release", "person__data_key")


def _own_shown(asked: AccessRequest, person: User) -> Shown:
    """It is asked of the person of this session, who knows their factors."""
    asked.person = person
    return replace(shown(asked), standing=standing.of(person, asked.release, asked))
