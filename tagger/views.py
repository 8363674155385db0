"""Pages: choose a campaign, tag, review. Each reads guard, form, one call, answer."""

from collections import Counter

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import audit
from accounts.roles import PersonalRequest, annotator_required, reviewer_required
from datasets import byteranges, hearing
from datasets.models import Campaign, Clip, Label

from . import assignments, belonging, community, disputes, examples, last_answers, pledge, refusals, reports
from .forms import ExampleForm, form_for
from .models import Assignment


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "tagger/home.html", {"community": community.figures(timezone.now())})


@require_GET
@annotator_required
def campaigns(request: PersonalRequest) -> HttpResponse:
    now = timezone.now()
    answers = request.user.annotations.count()
    mine = belonging.by_campaign(request.user, answers)
    context = {
        "rows": [(campaign, mine.get(campaign.pk, 0)) for campaign in community.open_campaigns()],
        "answers": answers,
        "has_pledged": pledge.is_made(request.user),
        "today": belonging.today(request.user, now),
        "streak": belonging.streak(request.user, now) if request.user.shows_streak else None,
        "community": community.figures(now),
    }
    return render(request, "tagger/campaigns.html", context)


@require_GET
@annotator_required
def tag(request: PersonalRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign, slug=slug, is_open=True)
    if not pledge.is_made(request.user):
        return _to_the_pledge(campaign)
    lent = assignments.renew(request.user, campaign, 1, timezone.now())
    return _tag_page(request, campaign, lent[0] if lent else None)


@require_POST
@annotator_required
def hand_in(request: PersonalRequest, pk: int) -> HttpResponse:
    """The form without JavaScript; the desk's script sends the same answer to the API."""
    mine = request.user.assignments.select_related("task__campaign", "task__clip")
    assignment = get_object_or_404(mine, pk=pk)
    campaign = assignment.task.campaign
    form = form_for(campaign)(request.POST)
    if not form.is_valid():
        return _tag_page(request, campaign, assignment, form, status=400)
    try:
        with refusals.in_english():
            assignments.hand_in(request.user, pk, form.cleaned_data["answer"], timezone.now())
    except assignments.Refused as refused:
        messages.warning(request, refusals.translated(refused))
    return redirect("tag", campaign.slug)


@require_POST
@annotator_required
def skip(request: PersonalRequest, pk: int) -> HttpResponse:
    assignment = get_object_or_404(request.user.assignments.select_related("task__campaign"), pk=pk)
    try:
        with refusals.in_english():
            assignments.skip(request.user, pk)
    except assignments.Refused as refused:
        messages.warning(request, refusals.translated(refused))
    return redirect("tag", assignment.task.campaign.slug)


@require_GET
@reviewer_required
def review(request: PersonalRequest) -> HttpResponse:
    """What waits for a reviewer: reported clips first, then disputes."""
    context = {
        "reports": reports.open_for(request.user)[:50],
        "disputes": disputes.open_for(request.user)[:50],
        "examples": examples.for_reviewer(request.user)[:50],
        "labels": Label,
    }
    response = render(request, "tagger/review.html", context)
    response["Cache-Control"] = "no-store"  # it holds words of people who may withdraw them
    return response


@reviewer_required
def decide(request: PersonalRequest, pk: int) -> HttpResponse:
    dispute = get_object_or_404(disputes.open_for(request.user), pk=pk)
    form = form_for(dispute.task.campaign)(request.POST or None)
    shown = ExampleForm(request.POST or None)
    # Both are asked, so that both say what is wrong.
    if request.method == "POST" and all([form.is_valid(), shown.is_valid()]):
        try:
            with transaction.atomic():
                disputes.decide(dispute, request.user, form.cleaned_data["answer"], timezone.now())
                if shown.cleaned_data["is_example"]:
                    examples.choose(dispute.task, shown.cleaned_data["note"])
        except (disputes.Decided, examples.NotAgreed) as refused:
            messages.warning(request, str(refused))
        else:
            messages.success(request, _("Decided. Thank you."))
        return redirect("review")
    votes = Counter(given.answer for given in dispute.task.annotations.order_by("id"))
    context = {
        "dispute": dispute,
        "campaign": dispute.task.campaign,
        "examples": examples.of(dispute.task.campaign),
        "form": form,
        "shown": shown,
        "may_be_example": examples.may_choose(dispute.task),
        "labels": Label,
        # Answers, not names: a reviewer judges the clip, not the people.
        "answers": [{"answer": answer, "votes": count} for answer, count in votes.most_common()],
    }
    status = 400 if form.errors or shown.errors else 200
    response = render(request, "tagger/decide.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


@require_GET
@reviewer_required
def dispute_audio(request: PersonalRequest, pk: int) -> HttpResponse:
    dispute = get_object_or_404(disputes.open_for(request.user), pk=pk)
    return _for_reviewer(request, dispute.task.clip)


@require_GET
@reviewer_required
def report_audio(request: PersonalRequest, pk: int) -> HttpResponse:
    clip = get_object_or_404(reports.open_for(request.user), pk=pk)
    return _for_reviewer(request, clip)


@require_POST
@reviewer_required
def show_again(request: PersonalRequest, pk: int) -> HttpResponse:
    """The reviewer finds nothing wrong with a reported clip."""
    reports.dismiss(get_object_or_404(reports.open_for(request.user), pk=pk), request.user, timezone.now())
    messages.success(request, _("The clip is back in the queue."))
    return redirect("review")


def _for_reviewer(request: PersonalRequest, clip: Clip) -> HttpResponse:
    audit.looked(f"clip {clip.pk}", request.user, timezone.now())
    return byteranges.sound(request, hearing.for_volunteers(clip))


def _to_the_pledge(campaign: Campaign) -> HttpResponse:
    return redirect(pledge.page(reverse("tag", args=[campaign.slug])))


def _tag_page(
    request: PersonalRequest,
    campaign: Campaign,
    assignment: Assignment | None,
    form: object = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    context = {
        "campaign": campaign,
        "examples": examples.of(campaign),
        "assignment": assignment,
        "form": form or form_for(campaign)(),
        "labels": Label,
        "reasons": Assignment.Reason,
        # The desk goes on with these after a reload, instead of borrowing more each time.
        "held": assignments.at_hand(request.user, campaign, now),
        "last": last_answers.of(request.user, campaign),
        "answered": request.user.annotations.filter(task__campaign=campaign).count(),
        "today": belonging.today(request.user, now),
        "community": community.figures(now),
    }
    response = render(request, "tagger/tag.html", context, status=status)
    response["Cache-Control"] = "no-store"  # the page names what is lent to one person
    return response
