"""The list of volunteers who want to be named, and the two switches that nobody has to touch."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import PersonalRequest, annotator_required

from . import belonging

ON = "on"


@require_GET
@annotator_required
def leaderboard(request: PersonalRequest) -> HttpResponse:
    now = timezone.now()
    context = {"listed": belonging.listed(now), "own_days": belonging.days_of(request.user, now)}
    response = render(request, "tagger/leaderboard.html", context)
    response["Cache-Control"] = "no-store"  # whoever leaves the list is in no copy of it
    return response


@require_POST
@annotator_required
def choose_leaderboard(request: PersonalRequest) -> HttpResponse:
    is_listed = _switched_on(request)
    belonging.list_person(request.user, is_listed)
    messages.success(
        request, _("You are on the list now.") if is_listed else _("You are not on the list any more.")
    )
    return redirect("leaderboard")


@require_POST
@annotator_required
def choose_streak(request: PersonalRequest) -> HttpResponse:
    is_shown = _switched_on(request)
    belonging.show_streak(request.user, is_shown)
    messages.success(
        request, _("Your days are shown now.") if is_shown else _("Your days are not shown any more.")
    )
    return redirect("my_answers")


def _switched_on(request: PersonalRequest) -> bool:
    """Whatever else is sent means off."""
    return request.POST.get("switch") == ON
