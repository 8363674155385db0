"""The list of open campaigns, where a volunteer chooses one."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.roles import PersonalRequest, annotator_required
from tagger.progress import community, own_progress
from tagger.review import rises
from tagger.welcome import pledge


@require_GET
@annotator_required
def campaigns(request: PersonalRequest) -> HttpResponse:
    now = timezone.now()
    answers = request.user.annotations.count()
    own_answers = own_progress.answers_by_campaign(request.user, answers)
    context = {
        "rows": [(campaign, own_answers.get(campaign.pk, 0)) for campaign in community.open_campaigns()],
        "rises": rises.unseen_by(request.user),
        "answers": answers,
        "has_pledged": pledge.is_made(request.user),
        "today": own_progress.answers_today(request.user, now),
        "streak": own_progress.streak(request.user, now) if request.user.shows_streak else None,
        "community": community.latest(now),
    }
    return render(request, "tagger/campaigns/campaigns.html", context)
