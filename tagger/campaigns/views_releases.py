"""An owner's releases: what one would hold, making it, and retracting it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import Purpose
from accounts.posting import posted_from
from accounts.roles import PersonalRequest
from accounts.typed import keeps_typed
from datasets.access import deciding
from datasets.models import Campaign, Release
from datasets.owners import owned_by, owner_page
from datasets.releases import preview, retraction
from tagger.consensus.intervals import share_of
from tagger.models import ReleaseOrder

from . import release_orders, requests
from .release_form import BoundsForm, ReleaseForm, RetractionForm


@keeps_typed("slug", "notes")
@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def releases(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """GET with bounds shows what they would take; POST asks for the release.

    Counting takes longer the more clips there are, so the page itself does not: its script asks for it.
    """
    begin = BoundsForm.of(campaign)
    if request.method == "POST":
        form = ReleaseForm(campaign, request.POST)
        if form.is_valid() and _asked(form, campaign, request):
            messages.success(request, _("It is being made, and appears below when it is done."))
            return redirect("campaign_releases", campaign.slug)
    else:
        form = ReleaseForm(
            campaign, initial=begin | {"licence": campaign.release_licence} | request.GET.dict()
        )
    bounds = BoundsForm(begin | (request.POST if request.method == "POST" else request.GET).dict())
    is_asked = request.method == "POST" or "min_confidence" in request.GET
    shown = _preview(campaign, bounds) if is_asked and bounds.is_valid() else None
    context = {
        "campaign": campaign,
        "tab": "releases",
        "form": form,
        "problem": "" if bounds.is_valid() else bounds.errors,
        "preview": shown,
        "doubt": share_of(shown.doubt, shown.clips) if shown and shown.doubt is not None else None,
        "order": ReleaseOrder.objects.filter(campaign=campaign).first(),
        "releases": campaign.releases.select_related("previous").order_by("-published_at"),
        "retraction": RetractionForm(),
        "stewarded": set(deciding.stewarded_by(request.user).values_list("pk", flat=True)),
        "waiting": deciding.waiting_for(request.user).count(),
    }
    return render(request, "tagger/campaigns/releases.html", context)


def _preview(campaign: Campaign, bounds: BoundsForm) -> preview.Preview:
    found = bounds.cleaned_data
    return preview.of([campaign], found["min_confidence"], Purpose(found["audience"]))


def _asked(form: ReleaseForm, campaign: Campaign, request: PersonalRequest) -> bool:
    try:
        release_orders.ask(campaign, form.wanted, request.user, timezone.now())
    except ValidationError as error:
        form.add_error(None, error)
        return False
    requests.ask("make_releases")
    return True


@posted_from("own_campaigns")
@owner_page
def retract(request: PersonalRequest, campaign: Campaign, release: str) -> HttpResponse:
    """Only by whoever runs all of its campaigns."""
    found = get_object_or_404(Release, slug=release, campaigns=campaign)
    mine = owned_by(request.user)
    if found.campaigns.exclude(pk__in=mine).exists():
        messages.error(
            request, _("It has clips of other owners’ campaigns, too: ask an admin to retract it.")
        )
        return redirect("campaign_releases", campaign.slug)
    try:
        retraction.retract(found, request.POST.get("because", ""), request.user, timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request,
            _("It is retracted: nothing of it is handed out, and the next recall feed names all of it."),
        )
    return redirect("campaign_releases", campaign.slug)
