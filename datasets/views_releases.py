"""For researchers: the releases, where to have them and how to check a copy."""

from django.http import HttpResponse
from django.shortcuts import render

from accounts.roles import PersonalRequest, researcher_required

from . import formats, releases
from .models import Release


@researcher_required
def releases_page(request: PersonalRequest) -> HttpResponse:
    found = Release.objects.prefetch_related("campaigns")
    held = [(release, *releases.amount(release)) for release in found]
    rows = [(release, clips, seconds / 3600) for release, clips, seconds in held]
    return render(request, "datasets/releases.html", {"rows": rows, "formats": list(formats.FORMATS)})
