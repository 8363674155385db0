"""The profile page: what the site knows about you, and tokens for your programs."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from . import audit, reauthentication, tokens
from .caching import uncached
from .forms import TokenForm
from .models import TOKEN_DAYS, ProgramToken
from .posting import posted_from
from .roles import PersonalRequest


@require_GET
@login_required
def profile(request: PersonalRequest) -> HttpResponse:
    chosen = reauthentication.resumed(request)
    initial = {"scopes": chosen.getlist("scopes"), "days": chosen.get("days")} if "days" in chosen else None
    return _page(request, TokenForm(request.user, initial=initial))


@posted_from("profile")
@login_required
@reauthentication.required("POST", page="profile")
def make_token(request: PersonalRequest) -> HttpResponse:
    """The token is shown once, in this response; the database stores only its hash.

    A request without the form's fields, as programs send it, gets all that the person's roles allow.
    """
    if not request.user.scopes():
        raise PermissionDenied(_("None of your roles can be used by programs."))
    form = TokenForm(request.user, request.POST)
    scopes, days = None, TOKEN_DAYS
    if not request.POST.keys().isdisjoint(form.fields):
        if not form.is_valid():
            return _page(request, form, status=400)
        scopes, days = form.cleaned_data["scopes"], form.cleaned_data["days"]
    stored, token = ProgramToken.objects.create(request.user, scopes, days)
    details = {"scopes": sorted(stored.scopes), "until": stored.expires_at.date().isoformat()}
    audit.record(audit.Act.MADE_TOKEN, f"person {request.user.pk}", request.user, timezone.now(), details)
    return uncached(_page(request, TokenForm(request.user), token))


@posted_from("profile")
@login_required
def revoke_token(request: PersonalRequest, digest: str) -> HttpResponse:
    token = get_object_or_404(request.user.tokens, digest=digest)
    tokens.revoke(request.user.tokens.filter(pk=token.pk), timezone.now())
    messages.success(request, _("The token is revoked."))
    return redirect("profile")


def _page(request: PersonalRequest, form: TokenForm, new_token: str = "", status: int = 200) -> HttpResponse:
    context = {
        "tokens": request.user.tokens.order_by("created"),
        "token_form": form,
        "new_token": new_token,
    }
    return render(request, "accounts/profile.html", context, status=status)
