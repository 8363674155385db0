"""The page of releases, for researchers."""

from django.http import HttpResponse
from django.shortcuts import render

from accounts import reauthentication
from accounts.roles import PersonalRequest, researcher_required
from datasets.models import Release

from . import formats, frozen


@researcher_required
def releases_page(request: PersonalRequest) -> HttpResponse:
    reauthentication.resumed(request)
    found = Release.objects.prefetch_related("campaigns")
    amounts = [(release, *frozen.amount(release)) for release in found]
    rows = [(release, clips, seconds / 3600) for release, clips, seconds in amounts]
    return render(
        request, "datasets/releases/releases.html", {"rows": rows, "formats": list(formats.FORMATS)}
    )
