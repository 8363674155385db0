"""Pages on which contributors choose what to record, and record it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from accounts import consent
from accounts.models import Material, Purpose
from accounts.roles import PersonalRequest, contributor_required
from datasets import taking_part
from datasets.models import Campaign, Prompt

from . import recording
from .audio import BadAudio
from .forms import RecordingForm
from .intake import Duplicate
from .wording import TOO_LARGE_FILE, on_page

# The sound, and the rest of the form: other fields, headers and boundaries.
MAX_FORM_BYTES = recording.MAX_BYTES + 10_000


@require_GET
@contributor_required
def choose(request: PersonalRequest) -> HttpResponse:
    campaigns = taking_part.shown_to(request.user, Campaign.objects.open()).annotate(
        has_prompts=Exists(Prompt.objects.filter(campaign=OuterRef("pk")))
    )
    allowed = {material: _allowed(request, material) for material in Material}
    context = {
        "campaigns": campaigns,
        "nothing_allowed": not any(allowed.values()),
        "may_record": [material for material, purposes in allowed.items() if purposes],
        "shared": _shared(request),
    }
    return render(request, "datasets/clips/record.html", context)


@csrf_exempt  # checking the token reads the whole body, so `_receive` checks its size first
@require_http_methods(["GET", "POST"])
@contributor_required
def record(request: PersonalRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(taking_part.shown_to(request.user, Campaign.objects.open()), slug=slug)
    if request.method == "POST":
        return _receive(request, campaign)
    if campaign.prompts.exists():
        return _page(request, campaign, other_than=request.GET.get("other", ""))
    return _page(request, campaign, freely=True)


@require_GET
@contributor_required
def speak_freely(request: PersonalRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(
        taking_part.shown_to(request.user, Campaign.objects.open()),
        slug=slug,
        kind=Campaign.Kind.TRANSCRIPTION,
    )
    return _page(request, campaign, freely=True)


def _bounded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuses a body that is larger than a recording may be, and reads none of it."""

    @wraps(view)
    def bounded(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_FORM_BYTES:
            return _refused(request, campaign, str(TOO_LARGE_FILE), 413)
        return view(request, campaign)

    return bounded


@_bounded
@csrf_protect
def _receive(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    form = RecordingForm(campaign, request.POST, request.FILES)
    if not form.is_valid():
        return _refused(request, campaign, form.problem(), 400)
    sound, prompt = form.cleaned_data["audio"].read(), form.cleaned_data["prompt"]
    try:
        is_new = recording.share(request.user, campaign, sound, timezone.now(), prompt=prompt)
    except consent.NoConsent as refusal:
        return _refused(request, campaign, on_page(refusal), 403)
    except BadAudio as refusal:
        return _refused(request, campaign, on_page(refusal), 400, prompt)
    except Duplicate as refusal:
        return _refused(request, campaign, on_page(refusal), 409, prompt)
    except recording.AlreadyRead as refusal:
        return _refused(request, campaign, on_page(refusal), 409)
    return _thanks(request, campaign, prompt, is_new)


def _thanks(
    request: PersonalRequest, campaign: Campaign, prompt: Prompt | None, is_new: bool
) -> HttpResponse:
    if _wants_json(request):
        following = recording.next_prompt(request.user, campaign) if prompt else None
        answer = {
            "shared": _shared(request),
            "prompt": following and {"id": following.pk, "text": following.text},
        }
        return JsonResponse(answer, status=201 if is_new else 200)
    if is_new:
        messages.success(request, _("Thank you: your recording is shared."))
    else:
        messages.info(request, _("You have already shared this recording."))
    back = "speak_freely" if campaign.asks_for_words and not prompt else "record_campaign"
    return redirect(back, campaign.slug)


def _refused(
    request: PersonalRequest, campaign: Campaign, problem: str, status: int, prompt: Prompt | None = None
) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"detail": problem}, status=status)
    freely = campaign.asks_for_words and prompt is None
    return _page(request, campaign, prompt=prompt, freely=freely, problem=problem, status=status)


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _allowed(request: PersonalRequest, material: Material) -> list[str]:
    """The labels of the purposes of this person's new clips; none unless volunteers may hear them."""
    live = [each for each in consent.live_now(request.user) if each.material == material]
    purposes = [Purpose(each.purpose) for each in live if consent.covers_new_clips(each)]
    return [str(purpose.label) for purpose in purposes] if Purpose.VOLUNTEERS in purposes else []


def _shared(request: PersonalRequest) -> int:
    return request.user.clips.filter(withdrawal=None).count()


def _page(
    request: PersonalRequest,
    campaign: Campaign,
    *,
    prompt: Prompt | None = None,
    other_than: str = "",
    freely: bool = False,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    allowed = _allowed(request, campaign.material)
    reads = campaign.asks_for_words and not freely
    if allowed and reads and prompt is None:
        prompt = recording.next_prompt(request.user, campaign, other_than=other_than)
    context: dict[str, Any] = {
        "campaign": campaign,
        "allowed": allowed,
        "ever_allowed": consent.allows(request.user, campaign.material, Purpose.VOLUNTEERS),
        "reads": reads,
        "prompt": prompt,
        "problem": problem,
        "shared": _shared(request),
        "shortest": recording.SHORTEST,
        "longest": recording.LONGEST,
    }
    return render(request, "datasets/clips/record_campaign.html", context, status=status)
