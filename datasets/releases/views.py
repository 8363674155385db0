"""The page of releases, for researchers, and each release's recall feed, for everyone."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts import reauthentication, signing
from accounts.caching import public_document
from accounts.roles import PersonalRequest, researcher_required
from datasets.models import Release

from . import formats, frozen, recalls


@researcher_required
def releases_page(request: PersonalRequest) -> HttpResponse:
    reauthentication.resumed(request)
    found = Release.objects.prefetch_related("campaigns")
    amounts = [(release, *frozen.amount(release)) for release in found]
    rows = [(release, clips, seconds / 3600) for release, clips, seconds in amounts]
    return render(
        request, "datasets/releases/releases.html", {"rows": rows, "formats": list(formats.FORMATS)}
    )


@require_safe
@public_document
def recall_feed(request: HttpRequest, release: str) -> HttpResponse:
    feed = recalls.feed(get_object_or_404(Release, slug=release))
    return HttpResponse(signing.canonical_json(feed), content_type="application/json")
