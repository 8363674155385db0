"""Guards for pages by role. A page for another role answers 403; another person's row answers 404."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from .models import Role, User

View = Callable[..., HttpResponse]


class PersonalRequest(HttpRequest):
    """The request of a guarded view: its user is logged in."""

    user: User


def _required(*roles: Role) -> Callable[[View], View]:
    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: PersonalRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not any(map(request.user.has_role, roles)):
                raise PermissionDenied(
                    _("This page is for people with the role %(role)s.") % {"role": roles[0].label}
                )
            return view(request, *args, **kwargs)

        return login_required(guarded)

    return guard


contributor_required = _required(Role.CONTRIBUTOR)
annotator_required = _required(Role.ANNOTATOR)
reviewer_required = _required(Role.REVIEWER)
researcher_required = _required(Role.RESEARCHER)
listener_required = _required(Role.ANNOTATOR, Role.REVIEWER)


def admin_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For those who may do everything in the admin, as long as the admin lets them in."""

    @wraps(view)
    def guarded(request: PersonalRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (request.user.is_superuser and admin.site.has_permission(request)):
            raise PermissionDenied(_("This page is for the people who run this site."))
        return view(request, *args, **kwargs)

    return login_required(guarded)


class IsAnnotator(BasePermission):
    message = "This call is for people with the role volunteer."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_authenticated and request.user.has_role(Role.ANNOTATOR)
