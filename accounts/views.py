"""The profile page: what the site knows about you, and tokens for your programs."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from knox.models import AuthToken

from . import journal
from .caching import uncached
from .roles import PersonalRequest


@require_GET
@login_required
def profile(request: PersonalRequest) -> HttpResponse:
    return _page(request)


@require_POST
@login_required
def make_token(request: PersonalRequest) -> HttpResponse:
    """The token is shown once, in this response; the database stores only its hash."""
    _stored, token = AuthToken.objects.create(request.user)
    return uncached(_page(request, token))


@require_POST
@login_required
def revoke_token(request: PersonalRequest, digest: str) -> HttpResponse:
    token = get_object_or_404(AuthToken, user=request.user, digest=digest)
    with transaction.atomic():
        journal.append("token", timezone.now(), digest=digest)
        token.delete()
    messages.success(request, _("The token is revoked."))
    return redirect("profile")


def _page(request: PersonalRequest, new_token: str = "") -> HttpResponse:
    tokens = AuthToken.objects.filter(user=request.user).order_by("created")
    return render(request, "accounts/profile.html", {"tokens": tokens, "new_token": new_token})
