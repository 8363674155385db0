"""The guard of downloads: a release for everyone, or one that its steward gave this person."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.models import Release

from . import standing
from .standing import MAY_DOWNLOAD, Standing
from .wording import NEXT


class MayDownload(BasePermission):
    """Whoever may not is told what to do: that there is a release, everyone may know.

    Of one that was retracted the view says so to everyone, and hands out nothing.
    """

    message: Any

    def has_permission(self, request: Request, view: APIView) -> bool:
        release = get_object_or_404(Release, slug=view.kwargs["slug"])
        if release.retracted_at:
            return True
        asked = standing.request_of(request.user, release)
        found = standing.of(request.user, release, asked)
        if found == Standing.LOGGED_OUT:
            raise NotAuthenticated(NEXT[found])
        self.message = refusal(request, release, found)
        return found in MAY_DOWNLOAD


def refusal(request: Request, release: Release, found: Standing) -> dict[str, Any]:
    """What a program is told. `page` is for people, `request` for programs."""
    told = {
        "detail": NEXT[found],
        "code": found.value,
        "page": request.build_absolute_uri(reverse("release_page", args=[release.slug])),
        "request": request.build_absolute_uri(reverse("release_request", args=[release.slug])),
    }
    if found == Standing.FACTOR_MISSING:
        told["set_up"] = request.build_absolute_uri(reverse("mfa_index"))
    return told
