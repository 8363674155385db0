"""The mixed queue: the page on which volunteers answer, for several campaigns by turns."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.roles import PersonalRequest, annotator_required
from datasets.models import Campaign
from tagger.lending import assignments
from tagger.lending.quotas import QuotaReached
from tagger.welcome import pledge

from . import mixed
from .views import paused_page, tag_page

MOST_TRIED = 3  # campaigns whose last clips someone else may have taken in this moment


@require_GET
@annotator_required
def mixed_queue(request: PersonalRequest) -> HttpResponse:
    """`after` in the query names the campaign whose set is over, as the page's script knows before we do."""
    if not pledge.is_made(request.user):
        return redirect(pledge.address(reverse("mixed")))
    if mixed.must_choose_languages(request.user):
        messages.info(request, _("Choose your languages first, so that you get only clips you understand."))
        return redirect("campaigns")
    now = timezone.now()
    found = mixed.in_turn(request.user, now, request.GET.get("after", ""))
    for campaign in found[:MOST_TRIED]:
        try:
            lent = assignments.top_up(request.user, campaign, 1, now)
        except QuotaReached as reached:
            return paused_page(request, campaign, reached, is_mixed=True)
        if lent:
            return tag_page(request, campaign, lent[0], is_mixed=True)
    any_open = Campaign.objects.open().order_by("pk").first()
    return tag_page(request, any_open, None, is_mixed=True) if any_open else redirect("campaigns")


@require_GET
@annotator_required
def next_desk(request: PersonalRequest) -> HttpResponse:
    """For someone who wants clips and named no campaign: to a desk that has some, or else to the list."""
    found = mixed.first_desk(request.user, get_language() or "en", timezone.now())
    return redirect("tag", found.slug) if found else redirect("campaigns")
