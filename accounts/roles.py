"""Guards for pages by role. A page for another role answers 403; another person's row answers 404."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from .models import REVIEWERS, Role, User

View = Callable[..., HttpResponse]
AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])


class PersonalRequest(HttpRequest):
    """The request of a guarded view: its user is logged in."""

    user: User


def _required(*roles: Role) -> Callable[[View], View]:
    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: PersonalRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not any(map(request.user.has_role, roles)):
                if any(map(request.user.lacks_factor_for, roles)):
                    return redirect("mfa_index")
                raise PermissionDenied(
                    _("This page is for people with the role %(role)s.") % {"role": roles[0].label}
                )
            return view(request, *args, **kwargs)

        return login_required(guarded)

    return guard


contributor_required = _required(Role.CONTRIBUTOR)
annotator_required = _required(Role.ANNOTATOR)
reviewer_required = _required(*REVIEWERS)
all_campaigns_reviewer_required = _required(Role.REVIEWER)
researcher_required = _required(Role.RESEARCHER)
privacy_reviewer_required = _required(Role.PRIVACY_REVIEWER)
owner_required = _required(Role.OWNER)
listener_required = _required(Role.ANNOTATOR, *REVIEWERS)


def admin_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For those who may do everything in the admin, as long as the admin lets them in."""

    @wraps(view)
    def guarded(request: PersonalRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (request.user.is_superuser and admin.site.has_permission(request)):
            raise PermissionDenied(_("This page is for the people who run this site."))
        return view(request, *args, **kwargs)

    return login_required(guarded)


def open_without_factor(view: AnyView) -> AnyView:
    """A page that a person with a powerful role sees before they set up a second factor.

    Logging out, withdrawing, taking one's data and leaving are never kept from anyone.
    """

    @wraps(view)
    def opened(*args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(*args, **kwargs)

    opened.is_open_without_factor = True  # type: ignore[attr-defined]
    return cast(AnyView, opened)


def is_open_without_factor(view: Any) -> bool:
    return getattr(view, "is_open_without_factor", False)


class RoleRefusal(StrEnum):
    FACTOR_MISSING = "second-factor-missing"  # with `set_up`, the address of the page for it


class HasRole(BasePermission):
    """For a call of people with one of these roles. The answer 403 says where a missing factor is set up."""

    roles: tuple[Role, ...]
    message: Any

    def has_permission(self, request: Request, view: APIView) -> bool:
        person = request.user
        if not person.is_authenticated or any(map(person.has_role, self.roles)):
            return person.is_authenticated
        if any(map(person.lacks_factor_for, self.roles)):
            self.message = {
                "detail": "Your role needs a second factor. Set it up, and log in with it.",
                "code": RoleRefusal.FACTOR_MISSING,
                "set_up": request.build_absolute_uri(reverse("mfa_index")),
            }
        return False


class IsAnnotator(HasRole):
    roles = (Role.ANNOTATOR,)
    message = "This call is for people with the role volunteer."
