"""The certificate of hours, as a page to print. A name typed for it is sent by POST and kept nowhere."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import receipts
from accounts.roles import PersonalRequest, annotator_required
from datasets.models import Campaign
from tagger import durations

from . import hours_certificate, own_wave


class CertificateForm(forms.Form):
    name = forms.CharField(
        required=False,
        max_length=hours_certificate.LONGEST_NAME,
        label=_("Name on the certificate"),
        help_text=_(
            "Leave it empty for your pseudonym. A name is used for this print alone: it is not stored, and "
            "the certificate says that this site did not check it."
        ),
        validators=[hours_certificate.check_name],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@sensitive_post_parameters("name")
@require_http_methods(["GET", "POST"])
@annotator_required
@sensitive_variables()
def certificate(request: PersonalRequest) -> HttpResponse:
    form = CertificateForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 400 if form.errors else 200
        has_listened = hours_certificate.has_listened(request.user)
        context: dict[str, Any] = {"form": form, "has_listened": has_listened}
        return render(request, "tagger/progress/certificate.html", context, status=status)
    document = hours_certificate.document(request.user, form.cleaned_data["name"], timezone.now())
    if document is None:
        return render(request, "tagger/progress/certificate.html", {"form": form})
    if request.POST.get("as") == "file":
        response = HttpResponse(receipts.as_file(document), content_type="application/json")
        response["Content-Disposition"] = 'attachment; filename="certificate-of-hours.json"'
        return response
    context = {
        "form": form,
        "document": document,
        "hours": durations.hours(60 * document["minutes_listened"]),
        "kinds": [Campaign.Kind(kind).label for kind in document["kinds_of_work"]],
        "first": parse_date(f"{document['from']}-01"),
        "last": parse_date(f"{document['to']}-01"),
        "issued_on": parse_date(document["issued_on"]),
        "written": receipts.as_file(document).decode(),
        "wave": own_wave.of_person(request.user),
    }
    return render(request, "tagger/progress/certificate.html", context)
