"""The front page, and a newcomer's first minute: the pledge, then three practice clips, then the queue."""

from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from accounts.models import User
from accounts.pages_here import leads_here
from accounts.roles import PersonalRequest, annotator_required
from datasets import taking_part
from datasets.models import Campaign, Label
from tagger.forms import PledgeForm, form_for
from tagger.progress import community

from . import pledge, practice
from .practice import PracticeClip

MOST_CAMPAIGNS = 3  # on the front page


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    person = request.user if isinstance(request.user, User) else None
    campaign = practice.campaign_like("", "")
    clip = practice.clips(campaign)[0]
    context = _practice(campaign, clip) | {
        "shape": practice.shape(clip.sound),
        "community": community.latest(timezone.now()),
        "campaigns": taking_part.shown_to(person, Campaign.objects.open()).order_by("pk")[:MOST_CAMPAIGNS],
    }
    return render(request, "tagger/welcome/home.html", context)


# Nothing is stored, so there is nothing that another site could do by it, and no cookie is needed.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def try_it(request: HttpRequest) -> HttpResponse:
    """The practice clips for anyone, without an account."""
    campaign = practice.campaign_like(request.GET.get("kind", ""), get_language() or "en")
    is_known = request.user.is_authenticated
    onward = reverse("next_desk" if is_known else "account_signup")
    return _clip_page(request, campaign, {"onward": onward, "is_trial": True})


@require_http_methods(["GET", "HEAD", "POST"])
@annotator_required
def first_minute(request: PersonalRequest) -> HttpResponse:
    form = PledgeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        pledge.make(request.user)
        return redirect(_with_query(request, "practice"))
    is_made = pledge.is_made(request.user)
    context = {
        "form": form,
        "promises": pledge.PROMISES,
        "is_made": is_made,
        "asks_again": bool(request.user.pledge) and not is_made,
        "onward": onward(request),
    }
    return render(request, "tagger/welcome/first_minute.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@annotator_required
def practice_clip(request: PersonalRequest) -> HttpResponse:
    """One practice clip and the feedback on an answer to it. The answer is checked here and not stored."""
    if not pledge.is_made(request.user):
        return redirect(_with_query(request, "first_minute"))
    return _clip_page(request, _practice_campaign(request), {"onward": onward(request)})


@require_GET
@annotator_required
def ready(request: PersonalRequest) -> HttpResponse:
    if not pledge.is_made(request.user):
        return redirect(_with_query(request, "first_minute"))
    return render(request, "tagger/welcome/ready.html", {"onward": onward(request)})


def onward(request: HttpRequest) -> str:
    """The page of this site that `next` names, for after the first minute; else a desk that has clips."""
    wanted = request.GET.get("next", "")
    if wanted.startswith("/") and leads_here(request, wanted):
        return wanted
    return reverse("next_desk")


def _clip_page(request: HttpRequest, campaign: Campaign, context: dict[str, Any]) -> HttpResponse:
    clips = practice.clips(campaign)
    number = _clip_number(request, len(clips))
    clip = clips[number - 1]
    context |= _practice(campaign, clip, request.POST if request.method == "POST" else None)
    context |= {"number": number, "of": len(clips)}
    status = 400 if context["form"].errors else 200
    return render(request, "tagger/welcome/practice.html", context, status=status)


def _practice(campaign: Campaign, clip: PracticeClip, posted: QueryDict | None = None) -> dict[str, Any]:
    """What the desk's parts need to ask for this clip; `result` if it was answered."""
    form = form_for(campaign)(posted)
    result = practice.judge(campaign, clip, form.cleaned_data["answer"]) if form.is_valid() else None
    sound = f"sounds/{clip.sound}"
    return {
        "campaign": campaign,
        "labels": Label,
        "form": form,
        "clip": clip,
        "sound": sound,
        "result": result,
    }


def _practice_campaign(request: HttpRequest) -> Campaign:
    """Of the kind in the query, or else like the campaign in `next`, or else for a wake word."""
    if kind := request.GET.get("kind", ""):
        return practice.campaign_like(kind, get_language() or "en")
    try:
        match = resolve(urlsplit(onward(request)).path)
    except Resolver404:
        return practice.campaign_like("", "")
    slug = match.kwargs.get("slug") if match.url_name == "tag" else None
    campaign = Campaign.objects.open().filter(slug=slug).first() if slug else None
    if campaign is None:
        return practice.campaign_like("", "")
    return practice.campaign_like(campaign.kind, campaign.language)


def _clip_number(request: HttpRequest, last: int) -> int:
    number = request.GET.get("clip", "1")
    if number not in map(str, range(1, last + 1)):
        raise Http404("no such clip")
    return int(number)


def _with_query(request: HttpRequest, name: str) -> str:
    query = request.META.get("QUERY_STRING", "")
    return f"{reverse(name)}?{query}" if query else reverse(name)
