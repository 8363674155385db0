"""The list of campaigns, where a volunteer chooses one, and the languages that they choose from."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.posting import posted_from
from accounts.roles import PersonalRequest, annotator_required
from tagger.desk import guidelines_flags
from tagger.progress import challenges, community, goals, own_progress
from tagger.review import rises
from tagger.welcome import pledge

from . import listing


@require_GET
@annotator_required
def campaigns(request: PersonalRequest) -> HttpResponse:
    now = timezone.now()
    answers = request.user.annotations.count()
    listed = listing.of(request.user, own_progress.answers_by_campaign(request.user, answers), now)
    today = own_progress.answers_today(request.user, now)
    context = {
        "listing": listed,
        "languages": listing.offered_languages(request.user, listed, get_language() or "en"),
        "rises": rises.unseen_by(request.user),
        "unclear": guidelines_flags.unseen_by(request.user),
        "answers": answers,
        "has_pledged": pledge.is_made(request.user),
        "today": today,
        "goal": goals.of(request.user, today),
        "goals_offered": goals.OFFERED,
        "challenges": challenges.of(request.user, now),
        "may_challenge": challenges.may_be_set_by(request.user, now),
        "streak": own_progress.streak(request.user, now) if request.user.shows_streak else None,
        "community": community.latest(now),
    }
    return render(request, "tagger/campaigns/campaigns.html", context)


@posted_from("campaigns")
@annotator_required
def choose_languages(request: PersonalRequest) -> HttpResponse:
    listing.choose_languages(request.user, request.POST.getlist("language"))
    messages.success(request, _("Saved. Campaigns in your languages now come first."))
    return redirect("campaigns")
