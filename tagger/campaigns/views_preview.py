"""A campaign as volunteers see it, before it is opened: with made voices, and no answer is kept."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.roles import PersonalRequest
from datasets.models import Campaign, Label
from datasets.owners import owner_page
from tagger.desk import examples
from tagger.forms import form_for
from tagger.welcome import practice


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def preview(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """`?clip=` chooses one of the made clips, from 1."""
    clips = practice.clips(practice.campaign_like(campaign.kind, campaign.language))
    asked = request.GET.get("clip", "1")
    number = int(asked) if asked in map(str, range(1, len(clips) + 1)) else 1
    form = form_for(campaign)(request.POST if request.method == "POST" else None)
    context = {
        "campaign": campaign,
        "tab": "preview",
        "labels": Label,
        "form": form,
        "sound": f"sounds/{clips[number - 1].sound}",
        "is_answered": form.is_valid(),
        "onward": f"{request.path}?clip={number % len(clips) + 1}",
        "examples": examples.for_campaign(campaign),
    }
    return render(request, "tagger/campaigns/preview.html", context, status=400 if form.errors else 200)
