"""An owner's campaigns: the list, a new one, its settings, and opening and closing it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts.posting import posted_from
from accounts.roles import PersonalRequest, owner_required
from accounts.typed import keeps_typed
from datasets import campaigns
from datasets.access import deciding
from datasets.models import Campaign
from datasets.owners import owned_by, owner_page

from . import changes, guidelines, rules
from .campaign_form import CampaignForm

if TYPE_CHECKING:
    from .consequences import Then

# What a clone takes from the campaign that it is like.
NOT_CLONED = ("slug", "title")


@require_GET
@owner_required
def own_campaigns(request: PersonalRequest) -> HttpResponse:
    found = owned_by(request.user).select_related("counted").order_by("slug")
    shown = [each for each in found if each.stage != Campaign.Stage.ARCHIVED]
    archived = [each for each in found if each.stage == Campaign.Stage.ARCHIVED]
    waiting = deciding.waiting_for(request.user).count()
    context = {"campaigns": shown, "archived": archived, "waiting": waiting}
    return render(request, "tagger/campaigns/own_campaigns.html", context)


@keeps_typed("title", "purpose", "guidelines")
@require_http_methods(["GET", "HEAD", "POST"])
@owner_required
def new_campaign(request: PersonalRequest) -> HttpResponse:
    """`?like=`: it begins as a copy of that campaign, without its clips."""
    like = request.GET.get("like")
    model = get_object_or_404(owned_by(request.user), slug=like) if like else None
    form = CampaignForm(request.POST or None, initial=_as_initial(model) if model else None)
    shown = None
    if form.is_valid() and "look" in request.POST:
        shown = _then(Campaign(**form.values_of_model()), form.values())
    elif form.is_valid():
        campaign = _create(form, request)
        if campaign:
            messages.success(request, _("Your campaign is made. Volunteers see it once you open it."))
            return redirect("campaign_settings", campaign.slug)
    context = {"form": form, "like": model, "then": shown}
    return render(request, "tagger/campaigns/new_campaign.html", context)


def _create(form: CampaignForm, request: PersonalRequest) -> Campaign | None:
    try:
        return campaigns.make(form.values(), request.user, timezone.now())
    except ValidationError as error:
        form.add_error(None, error)
        return None


def _as_initial(model: Campaign) -> dict[str, object]:
    copied = CampaignForm(instance=model)
    return {name: copied[name].initial for name in copied.fields if name not in NOT_CLONED}


@keeps_typed("title", "purpose", "guidelines")
@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def settings_page(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    form = CampaignForm(request.POST or None, instance=Campaign.objects.get(pk=campaign.pk))
    shown = None
    if form.is_valid():
        typed = form.values()
        if not _is_to_save(request, campaign, typed):
            shown = _then(campaign, typed) if rules.differ(campaign, typed) else None
        elif _changed(campaign, form, request):
            messages.success(request, _("Saved."))
            return redirect("campaign_settings", campaign.slug)
    context = {
        "campaign": campaign,
        "tab": "settings",
        "form": form,
        "then": shown,
        "recount": rules.latest_recount(campaign),
        "next_stages": [
            (stage, MOVE_WORDS[stage], number == 0)
            for number, stage in enumerate(campaigns.NEXT_STAGES[campaign.stage])
        ],
    }
    return render(request, "tagger/campaigns/settings.html", context)


def _is_to_save(request: PersonalRequest, campaign: Campaign, typed: dict[str, Any]) -> bool:
    """Another rule is saved only after the page said what it would lead to."""
    if "look" in request.POST:
        return False
    return not rules.differ(campaign, typed) or request.POST.get("seen") == rules.name(typed)


def _changed(campaign: Campaign, form: CampaignForm, request: PersonalRequest) -> bool:
    try:
        changes.apply(campaign, form.values(), request.user, timezone.now())
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


def _then(campaign: Campaign, typed: dict[str, Any]) -> "Then":
    # Imported where an owner asks for it: the engine would double the memory of every web process.
    then: Then = import_module("tagger.campaigns.consequences").Then.of(campaign, typed)
    return then


MOVE_WORDS = {
    Campaign.Stage.OPEN: gettext_lazy("Open it"),
    Campaign.Stage.PAUSED: gettext_lazy("Pause it"),
    Campaign.Stage.CLOSED: gettext_lazy("Close it"),
    Campaign.Stage.ARCHIVED: gettext_lazy("Archive it"),
}


@posted_from("own_campaigns")
@owner_page
def move_stage(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """Open, pause, close, reopen or archive it."""
    try:
        campaigns.move_to(campaign, request.POST.get("stage", ""), request.user, timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, STAGE_REACHED[Campaign.Stage(campaign.stage)])
    return redirect(reverse("campaign_settings", args=[campaign.slug]))


STAGE_REACHED = {
    Campaign.Stage.OPEN: gettext_lazy("It is open: volunteers see it now."),
    Campaign.Stage.PAUSED: gettext_lazy("It is paused. Volunteers read that it goes on later."),
    Campaign.Stage.CLOSED: gettext_lazy("It is closed. No more answers are asked for."),
    Campaign.Stage.ARCHIVED: gettext_lazy("It is archived. You find it at the end of your list."),
}


@posted_from("own_campaigns")
@owner_required
def preview_guidelines(request: PersonalRequest) -> HttpResponse:
    """The typed guidelines as volunteers will read them: a piece of a page."""
    context = {"guidelines": guidelines.as_html(request.POST.get("guidelines", ""))}
    return render(request, "tagger/campaigns/_guidelines_preview.html", context)
