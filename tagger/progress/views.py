"""The pages on progress: own answers, the list of volunteers, reliability for reviewers, agreement."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.posting import posted_from
from accounts.roles import (
    PersonalRequest,
    all_campaigns_reviewer_required,
    annotator_required,
    open_without_factor,
)
from datasets.models import Campaign
from datasets.releases import taking_back
from tagger import durations
from tagger.models import Reliability

from . import because_of_you, challenges, coaching, goals, leaderboard, missed, own_progress, own_wave

PAGE_SIZE = 100


@require_GET
@annotator_required
def my_answers(request: PersonalRequest) -> HttpResponse:
    results = own_progress.results(request.user)
    heard = own_progress.seconds_heard(results)
    answers = sum(each.answers for each in results)
    context = {
        "challenges": challenges.of(request.user, timezone.now()),
        "because": because_of_you.of_person(request.user, answers),
        "wave": own_wave.of_person(request.user),
        "hours_heard": durations.hours(heard),
        "minutes_heard": durations.whole_minutes(heard),
        "summaries": coaching.summaries(request.user),
        "weighed_less": coaching.weighed_less(request.user),
        "results": results,
        "newest": answers if answers == own_progress.NEWEST_ANSWERS else 0,
    }
    return render(request, "tagger/progress/my_answers.html", context)


@require_GET
@annotator_required
def my_day(request: PersonalRequest) -> HttpResponse:
    """What settled today because of this person. The desk shows a part of it at its pause."""
    now = timezone.now()
    today = own_progress.answers_today(request.user, now)
    context = {
        "because": because_of_you.of_today(request.user, now, today),
        "today": today,
        "wave": own_wave.of_person(request.user),
    }
    return render(request, "tagger/progress/my_day.html", context)


@require_GET
@all_campaigns_reviewer_required
def volunteers(request: PersonalRequest) -> HttpResponse:
    """All volunteers with an account, least reliable first. By number, not name: it is about answers."""
    rows = Reliability.objects.filter(annotator__is_active=True).select_related("crowd")
    page = Paginator(rows.order_by("score", "pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "checkers": missed.by_person(timezone.now())}
    return render(request, "tagger/progress/volunteers.html", context)


@require_GET
@annotator_required
def agreement(request: PersonalRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.public(), slug=slug)
    figures = list(campaign.agreement_figures.order_by("month"))
    context = {
        "campaign": campaign,
        "overall": next((each for each in figures if each.month is None), None),
        "months": [each for each in figures if each.month is not None][-24:],
    }
    return render(request, "tagger/progress/agreement.html", context)


@require_GET
@annotator_required
def named_volunteers(request: PersonalRequest) -> HttpResponse:
    now = timezone.now()
    context = {"listed": leaderboard.volunteers(now), "own_days": leaderboard.days_of(request.user, now)}
    return render(request, "tagger/progress/leaderboard.html", context)


@posted_from("leaderboard")
@annotator_required
def choose_leaderboard(request: PersonalRequest) -> HttpResponse:
    is_listed = _switched_on(request)
    leaderboard.set_listed(request.user, is_listed)
    messages.success(
        request, _("You are now on the list.") if is_listed else _("You are no longer on the list.")
    )
    return redirect("leaderboard")


@posted_from("my_answers")
@annotator_required
def choose_streak(request: PersonalRequest) -> HttpResponse:
    is_shown = _switched_on(request)
    own_progress.show_streak(request.user, is_shown)
    messages.success(
        request, _("Your days are now shown.") if is_shown else _("Your days are no longer shown.")
    )
    return redirect("my_answers")


@open_without_factor
@posted_from("profile")
@login_required
def choose_single_votes(request: PersonalRequest) -> HttpResponse:
    """Open to whoever is no volunteer any more, too: they may have been one when they agreed."""
    if _switched_on(request):
        taking_back.agree(request.user, timezone.now())
        messages.success(request, _("Releases may now list what you answer from now on."))
    else:
        taking_back.take_back(request.user, timezone.now())
        messages.success(request, _("No release lists your answers any more."))
    return redirect("profile")


@posted_from("campaigns")
@annotator_required
def choose_goal(request: PersonalRequest) -> HttpResponse:
    goals.choose(request.user, request.POST.get("goal", ""))
    return redirect("campaigns")


def _switched_on(request: PersonalRequest) -> bool:
    """Anything but "on" means off."""
    return request.POST.get("switch") == "on"
