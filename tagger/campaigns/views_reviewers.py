"""A campaign's own reviewers: its owner gives away a link, and whoever takes it up reviews the campaign."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.posting import posted_from
from accounts.roles import PersonalRequest
from datasets import reviewing
from datasets.models import Campaign, CampaignReviewer
from datasets.owners import owned_by, owner_page

from . import own_reviewers


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def reviewers(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """The list. POST makes a link, shown this once, which ends the one before; `switch=off` only ends it."""
    link = None
    if request.POST.get("switch") == "off":
        reviewing.INVITATIONS.end(campaign, timezone.now())
        messages.success(request, _("The link has ended."))
        return redirect("campaign_reviewers", campaign.slug)
    if request.method == "POST":
        text = reviewing.INVITATIONS.make(campaign, timezone.now())
        link = request.build_absolute_uri(reverse("review_campaign", args=[text]))
        campaign.refresh_from_db()
    context = {
        "campaign": campaign,
        "tab": "reviewers",
        "link": link,
        "reviewers": own_reviewers.of(campaign),
    }
    return render(request, "tagger/campaigns/reviewers.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def accept(request: PersonalRequest, invitation: str) -> HttpResponse:
    """Whoever opens the link is asked; the first who agrees is the reviewer."""
    campaign = reviewing.asked_to(invitation)
    if campaign and request.method == "POST":
        campaign = reviewing.accept(request.user, invitation, timezone.now())
        if campaign:
            messages.success(request, _("You review this campaign now. Thank you."))
            return redirect("review")
    # As for other links: an error's address is logged, which is no harm once the link has ended.
    status = 200 if campaign else 404
    return render(request, "tagger/campaigns/accept_reviewing.html", {"campaign": campaign}, status=status)


@posted_from("own_campaigns")
@login_required
def end(request: PersonalRequest, pk: UUID) -> HttpResponse:
    """By the campaign's owner, or by the reviewer."""
    found = get_object_or_404(CampaignReviewer.objects.select_related("campaign"), pk=pk)
    is_own = found.person_id == request.user.pk
    if not is_own and not owned_by(request.user).filter(pk=found.campaign_id).exists():
        raise Http404
    reviewing.end(found, request.user, timezone.now())
    if is_own:
        messages.success(request, _("You do not review this campaign any more."))
        request.user.refresh_from_db(fields=["roles"])
        return redirect("review" if request.user.is_reviewer else "profile")
    messages.success(request, _("They do not review this campaign any more. What they decided stays."))
    return redirect("campaign_reviewers", found.campaign.slug)
