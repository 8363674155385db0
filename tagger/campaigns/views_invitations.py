"""A campaign's link: its owner makes and ends it, and whoever has it takes part."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.posting import posted_from
from accounts.roles import PersonalRequest, annotator_required
from datasets import taking_part
from datasets.models import Campaign
from datasets.owners import owner_page


@posted_from("own_campaigns")
@owner_page
def invite(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """Make a link, which ends the one before and is shown this once; or, with `switch=off`, only end it."""
    if request.POST.get("switch") == "off":
        taking_part.INVITATIONS.end(campaign, timezone.now())
        messages.success(request, _("The link has ended. Whoever came by it still takes part."))
        return redirect("campaign_settings", campaign.slug)
    text = taking_part.INVITATIONS.make(campaign, timezone.now())
    link = request.build_absolute_uri(reverse("join_campaign", args=[text]))
    context = {"campaign": campaign, "tab": "settings", "link": link}
    return render(request, "tagger/campaigns/invitation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@annotator_required
def join(request: PersonalRequest, invitation: str) -> HttpResponse:
    campaign = taking_part.invited_to(invitation)
    if campaign and request.method == "POST":
        taking_part.join(request.user, campaign)
        return redirect("tag", campaign.slug)
    # An error's address is logged, and this address is the invitation: only of an ended one that is no harm.
    status = 200 if campaign else 404
    return render(request, "tagger/campaigns/join.html", {"campaign": campaign}, status=status)
