"""The page of a person's devices: pair one by the code that it shows, revoke it, remove it."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.validators import ProhibitNullCharactersValidator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from . import devices as acts
from . import too_many
from .limits import LimitReached
from .posting import posted_from
from .refusals import in_words
from .roles import PersonalRequest, contributor_required
from .typed import keeps_typed
from .wording import WORDS


class PairingForm(forms.Form):
    code = forms.CharField(max_length=20)
    name = forms.CharField(max_length=60, required=False, validators=[ProhibitNullCharactersValidator()])


@keeps_typed("code", "name")
@require_http_methods(["GET", "POST"])
@contributor_required
def devices(request: PersonalRequest) -> HttpResponse:
    form = PairingForm(request.POST or None)
    if form.is_valid():
        try:
            acts.claim(
                request.user, form.cleaned_data["code"], form.cleaned_data["name"].strip(), timezone.now()
            )
        except acts.WrongCode as refusal:
            form.add_error("code", in_words(refusal, WORDS))
        except LimitReached as reached:
            form.add_error("code", too_many.sentence(request, reached))
        else:
            messages.success(request, _("Paired. The device fetches its key within seconds."))
            return redirect("devices")
    return _page(request, form, status=400 if form.errors else 200)


@posted_from("devices")
@contributor_required
def revoke(request: PersonalRequest, uuid: UUID) -> HttpResponse:
    device = get_object_or_404(request.user.devices, uuid=uuid)
    acts.revoke(device, timezone.now().date())
    messages.success(request, _("Revoked. Nothing this device sends is accepted any more."))
    return redirect("devices")


@posted_from("devices")
@contributor_required
def remove(request: PersonalRequest, uuid: UUID) -> HttpResponse:
    """Deletes the device with its tokens and its reported details; its clips stay."""
    get_object_or_404(request.user.devices, uuid=uuid).delete()
    messages.success(request, _("Removed. The clips it sent are still there."))
    return redirect("devices")


def _page(request: PersonalRequest, form: PairingForm, status: int) -> HttpResponse:
    return render(request, "accounts/devices.html", {"device_form": form}, status=status)
