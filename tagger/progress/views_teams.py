"""The pages of teams: all of them by name, one team, and joining one by its invitation."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.posting import posted_from
from accounts.refusals import in_words
from accounts.roles import PersonalRequest, admin_required, annotator_required
from tagger.models import Membership, Team

from . import teams, wording

PAGE_SIZE = 50


class TeamForm(forms.Form):
    name = forms.CharField(
        label=_("Name of the team"),
        help_text=_("All volunteers see it. Do not use anyone's real name."),
        min_length=2,
        max_length=40,
        validators=[teams.check_name],
    )
    is_named = forms.BooleanField(required=False, label=_("The other members may see my pseudonym"))


@require_http_methods(["GET", "POST"])
@annotator_required
def all_teams(request: PersonalRequest) -> HttpResponse:
    form = TeamForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            team, invitation = teams.make(request.user, **form.cleaned_data, now=timezone.now())
        except teams.TeamRefused as refused:
            form.add_error("name", in_words(refused, wording.WORDS))
        else:
            return _page(request, team, invitation)
    now = timezone.now()
    page = Paginator(teams.by_name(), PAGE_SIZE).get_page(request.GET.get("page"))
    own = teams.by_name().filter(memberships__person=request.user)
    context = {
        "form": form,
        "page": page,
        "rows": [(team, teams.has_figures(team, now)) for team in page],
        "own": own,
        "now": now,
    }
    return render(request, "tagger/progress/teams.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET"])
@annotator_required
def team(request: PersonalRequest, pk: UUID) -> HttpResponse:
    return _page(request, get_object_or_404(Team, pk=pk))


def _team_page(request: HttpRequest, pk: UUID) -> str:
    return reverse("team", args=[pk])


@posted_from(_team_page)
@annotator_required
def invite(request: PersonalRequest, pk: UUID) -> HttpResponse:
    """A new invitation is shown once, in this response. The one before works no more."""
    own = _own(request, pk)
    if request.POST.get("switch") == "off":
        teams.INVITATIONS.end(own.team, timezone.now())
        messages.success(request, _("The invitation has ended. No one can join until you make another."))
        return redirect("team", pk)
    return _page(request, own.team, teams.INVITATIONS.make(own.team, timezone.now()))


@posted_from(_team_page)
@annotator_required
def name_me(request: PersonalRequest, pk: UUID) -> HttpResponse:
    teams.show_name(_own(request, pk), request.POST.get("switch") == "on", timezone.now())
    return redirect("team", pk)


@posted_from(_team_page)
@annotator_required
def leave(request: PersonalRequest, pk: UUID) -> HttpResponse:
    teams.leave(_own(request, pk), timezone.now())
    messages.success(request, _("You have left the team."))
    return redirect("teams")


@posted_from(_team_page)
@admin_required
def remove(request: PersonalRequest, pk: UUID) -> HttpResponse:
    """For names that cannot stay."""
    get_object_or_404(Team, pk=pk).delete()
    return redirect("teams")


@require_http_methods(["GET", "POST"])
@annotator_required
def join(request: PersonalRequest, invitation: str) -> HttpResponse:
    found, problem = teams.invited_to(invitation), ""
    if found and request.method == "POST":
        try:
            joined = teams.join(request.user, invitation, bool(request.POST.get("is_named")))
        except teams.TeamRefused as refused:
            problem = in_words(refused, wording.WORDS)
        else:
            return redirect("team", joined.pk) if joined else redirect("teams")
    context = {"team": found, "problem": problem}
    # An error's address is logged, and this address is the invitation: only of an ended one that is no harm.
    return render(request, "tagger/progress/team_join.html", context, status=200 if found else 404)


def _own(request: PersonalRequest, pk: UUID) -> Membership:
    return get_object_or_404(request.user.memberships.select_related("team"), team=pk)


def _page(request: PersonalRequest, shown: Team, invitation: str = "") -> HttpResponse:
    own = request.user.memberships.filter(team=shown).first()
    now = timezone.now()
    context: dict[str, Any] = {
        "team": shown,
        "own": own,
        "has_figures": teams.has_figures(shown, now),
        "now": now,
        "is_open": invitation or (own and shown.invitation_sha256),
    }
    if own:
        context["named"] = teams.named_members(shown)
    if invitation:
        context["invitation"] = request.build_absolute_uri(reverse("join_team", args=[invitation]))
    return render(request, "tagger/progress/team.html", context)
