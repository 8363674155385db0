"""The page to change or remove one's e-mail address, which is stored sealed."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from . import reauthentication
from .forms import EmailForm
from .roles import PersonalRequest


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication.required("POST")
def email(request: PersonalRequest) -> HttpResponse:
    """On a site that sends no mail there is only an address to remove, if it sent mail before."""
    if not (settings.SENDS_MAIL or request.user.address):
        raise Http404("not offered here")
    if request.method == "POST":
        form = EmailForm(request.POST)
    else:
        form = EmailForm(initial={"address": request.user.address} | reauthentication.resumed(request).dict())
    if not form.is_valid():
        status = 400 if form.errors else 200
        return render(request, "accounts/email.html", {"form": form}, status=status)
    address = form.cleaned_data["address"]
    request.user.seal_address(address)
    messages.success(request, _("Saved.") if address else _("Your e-mail address is removed."))
    return redirect("profile")
