"""An admin's first steps, and the page for everyone that says who runs this site."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from accounts import appointing, audit, operators, reauthentication
from accounts.models import POWERFUL, Role, User
from accounts.posting import posted_from
from accounts.roles import PersonalRequest, admin_required
from datasets.models import Campaign

from . import checks, steps, unset
from .operator_form import ADMIN, OperatorForm, RolesForm

PAGE = "first steps"
SHOWN = [role for role in Role if role in POWERFUL]


@require_GET
@admin_required
def first_steps(request: PersonalRequest) -> HttpResponse:
    resumed = reauthentication.resumed(request)
    return _page(request, OperatorForm(instance=operators.stored()), _roles_form(resumed))


@posted_from("first_steps")
@admin_required
def say_who_runs(request: PersonalRequest) -> HttpResponse:
    form = OperatorForm(request.POST, instance=operators.stored())
    if not form.is_valid():
        return _page(request, form, RolesForm(), status=400)
    operators.describe(form.cleaned_data, request.user, timezone.now())
    messages.success(request, _("Saved. Every page says so at its end, in some seconds."))
    return redirect("first_steps")


@posted_from("first_steps")
@admin_required
@reauthentication.required("POST", page="first_steps")
def give_roles(request: PersonalRequest) -> HttpResponse:
    form = RolesForm(request.POST)
    if not form.is_valid():
        return _page(request, OperatorForm(instance=operators.stored()), form, status=400)
    chosen = form.cleaned_data["roles"]
    given = [Role(each) for each in chosen if each != ADMIN]
    if appointing.appoint(form.person, given, request.user, timezone.now(), as_admin=ADMIN in chosen):
        messages.success(request, _("Done. It counts once they have a second factor."))
    else:
        messages.info(request, _("They had these roles already."))
    return redirect(reverse("first_steps") + "#roles")


@require_safe
def who_runs_this(request: HttpRequest) -> HttpResponse:
    return render(request, "tagger/operators/who_runs_this.html", {"described": operators.stored()})


def _roles_form(resumed: QueryDict) -> RolesForm:
    if not resumed:
        return RolesForm()
    return RolesForm(initial={"pseudonym": resumed.get("pseudonym"), "roles": resumed.getlist("roles")})


def _page(
    request: PersonalRequest, operator: OperatorForm, roles: RolesForm, status: int = 200
) -> HttpResponse:
    people = list(unset.powerful().select_related("data_key")[: unset.MANY + 1])
    shown = people[: unset.MANY]
    _record_look(request, shown)
    found = steps.of_site(request.user)
    context: dict[str, Any] = {
        "steps": found,
        "at": next((step for step in found if step.is_open), None),
        "operator_form": operator,
        "roles_form": roles,
        "holders": _holders(shown),
        "has_more_people": len(people) > len(shown),
        "first_campaign": _first_campaign(),
        "unset": unset.everything(timezone.now()),
        "others": checks.others(),
    }
    return render(request, "tagger/operators/first_steps.html", context, status=status)


def _holders(people: list[User]) -> list[tuple[str, list[User]]]:
    """Each role with the people who were given it."""
    admins = [person for person in people if person.is_superuser]
    by_role = [(str(role.label), [each for each in people if role in each.roles]) for role in SHOWN]
    return [*by_role, (_("admin"), admins)]


def _record_look(request: PersonalRequest, people: list[User]) -> None:
    """As of the admin's pages, which show people too."""
    numbers = [person.pk for person in people if person.pk != request.user.pk]
    if numbers:
        audit.record_once(audit.Act.LOOKED, PAGE, request.user, timezone.now(), {"people": numbers})


def _first_campaign() -> Campaign | None:
    """The oldest that is open, or else the oldest that is not put away."""
    kept = Campaign.objects.exclude(stage=Campaign.Stage.ARCHIVED).order_by("pk")
    return kept.filter(stage=Campaign.Stage.OPEN).first() or kept.first()
