"""How it goes: one's own answers, everybody's for reviewers, and how far all agree."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.roles import PersonalRequest, annotator_required, reviewer_required
from datasets.models import Campaign

from . import belonging, coaching
from .models import Reliability

A_PAGE = 100


@require_GET
@annotator_required
def my_answers(request: PersonalRequest) -> HttpResponse:
    led_to = belonging.led_to(request.user)
    context = {
        "reports": coaching.reports(request.user),
        "led_to": led_to,
        "has_more": sum(each.answers for each in led_to) == belonging.NEWEST_ANSWERS,
    }
    return render(request, "tagger/my_answers.html", context)


@require_GET
@reviewer_required
def volunteers(request: PersonalRequest) -> HttpResponse:
    """Everybody who stayed, least reliable first; by number, as a reviewer judges answers and not people."""
    rows = Reliability.objects.filter(annotator__is_active=True).select_related("crowd")
    page = Paginator(rows.order_by("score", "pk"), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "tagger/volunteers.html", {"page": page})


@require_GET
@annotator_required
def agreement(request: PersonalRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign, slug=slug)
    figures = list(campaign.agreement_figures.order_by("month"))
    context = {
        "campaign": campaign,
        "overall": next((each for each in figures if each.month is None), None),
        "months": [each for each in figures if each.month is not None][-24:],
    }
    return render(request, "tagger/agreement.html", context)
