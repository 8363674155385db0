"""The page where volunteers hear a clip and answer, and its form for browsers without JavaScript."""

from functools import partial

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.posting import posted_from
from accounts.roles import PersonalRequest, annotator_required
from accounts.typed import keeps_typed
from datasets import taking_part
from datasets.models import Campaign, Label
from datasets.normalise import BadTranscript
from tagger.forms import form_for
from tagger.lending import assignments, notes
from tagger.lending.quotas import QuotaReached
from tagger.lending.refusals import AnswerRefusal, AnswerRefused
from tagger.models import Assignment, Report
from tagger.progress import community, goals, own_progress
from tagger.welcome import pledge

from . import examples, guidelines_flags, last_answers, mixed, wording


@require_GET
@annotator_required
def tag(request: PersonalRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign, slug=slug, stage__in=(Campaign.Stage.OPEN, Campaign.Stage.PAUSED))
    if not campaign.is_open:
        return render(request, "tagger/desk/paused_campaign.html", {"campaign": campaign})
    if not taking_part.may(request.user, campaign):
        return _who_takes_part(request, campaign)
    if not pledge.is_made(request.user):
        return redirect(pledge.address(reverse("tag", args=[campaign.slug])))
    try:
        lent = assignments.top_up(request.user, campaign, 1, timezone.now())
    except QuotaReached as reached:
        return paused_page(request, campaign, reached)
    return tag_page(request, campaign, lent[0] if lent else None)


def _who_takes_part(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """Where a campaign is for people who say that they understand its language, they can say so."""
    if campaign.takes_part == Campaign.TakingPart.INVITED:
        raise Http404("by invitation")
    messages.info(
        request,
        _("This campaign is for people who understand %(language)s. Do you? Then choose it below.")
        % {"language": campaign.language_name},
    )
    return redirect("campaigns")


def paused_page(
    request: PersonalRequest, campaign: Campaign, reached: QuotaReached, is_mixed: bool = False
) -> HttpResponse:
    """The page without a clip, while the quota is used up."""
    page = tag_page(request, campaign, None, status=429, paused=reached, is_mixed=is_mixed)
    page["Retry-After"] = str(reached.seconds)
    return page


def _desk(request: HttpRequest, pk: int) -> str:
    """The page with this clip's form; the list of campaigns if it is not lent to whoever asks."""
    if not isinstance(request.user, User):
        return reverse("campaigns")
    campaign = Campaign.objects.filter(tasks__assignments__in=request.user.assignments.filter(pk=pk)).first()
    return reverse("tag", args=[campaign.slug]) if campaign else reverse("campaigns")


@keeps_typed("answer")
@posted_from(_desk)
@annotator_required
def hand_in(request: PersonalRequest, pk: int) -> HttpResponse:
    """The form for browsers without JavaScript; with it, the page's script sends answers to the API."""
    own = request.user.assignments.select_related("task__campaign", "task__clip")
    assignment = get_object_or_404(own, pk=pk)
    campaign = assignment.task.campaign
    form = form_for(campaign)(request.POST)
    if not form.is_valid():
        return tag_page(request, campaign, assignment, form, status=400, is_mixed=_is_mixed(request))
    try:
        several = "several_speakers" in request.POST
        assignments.hand_in(request.user, pk, form.cleaned_data["answer"], timezone.now(), several)
    except (AnswerRefused, BadTranscript) as refused:
        messages.warning(request, wording.in_words(refused))
    return redirect(_address(campaign, _is_mixed(request)))


@posted_from(_desk)
@annotator_required
def skip(request: PersonalRequest, pk: int) -> HttpResponse:
    assignment = get_object_or_404(request.user.assignments.select_related("task__campaign"), pk=pk)
    try:
        assignments.skip(request.user, pk, timezone.now())
    except (AnswerRefused, QuotaReached) as refused:
        messages.warning(request, wording.in_words(refused))
    return redirect(_address(assignment.task.campaign, _is_mixed(request)))


def _is_mixed(request: HttpRequest) -> bool:
    """Whether the form was on the page of the mixed queue."""
    return request.POST.get("queue") == "mixed"


def _address(campaign: Campaign, is_mixed: bool) -> str:
    return reverse("mixed") if is_mixed else reverse("tag", args=[campaign.slug])


@keeps_typed("note")
@posted_from(_desk)
@annotator_required
def report(request: PersonalRequest, pk: int) -> HttpResponse:
    """The form for browsers without JavaScript; a note that is refused stays in it."""
    own = request.user.assignments.select_related("task__campaign", "task__clip")
    assignment = get_object_or_404(own, pk=pk)
    campaign, is_mixed = assignment.task.campaign, _is_mixed(request)
    reason, note = request.POST.get("reason", ""), request.POST.get("note", "")
    again = partial(tag_page, request, campaign, assignment, status=400, is_mixed=is_mixed)
    try:
        assignments.report(request.user, pk, reason, timezone.now(), note=note)
    except AnswerRefused as refused:
        if refused.code == AnswerRefusal.NOT_A_REASON:
            return again()
        if refused.code in {AnswerRefusal.NOTE_TOO_LONG, *notes.PATTERNS}:
            return again(at_report={"note": note, "note_error": wording.in_words(refused)})
        messages.warning(request, wording.in_words(refused))
    except QuotaReached as reached:
        messages.warning(request, wording.in_words(reached))
    else:
        messages.success(
            request, _("Thank you. Reviewers are told about this clip, and you will not get it again.")
        )
    return redirect(_address(campaign, is_mixed))


@keeps_typed("note")
@posted_from("campaigns")
@annotator_required
def flag_guidelines(request: PersonalRequest, slug: str) -> HttpResponse:
    """The guidelines are unclear. With JavaScript the page stays and shows the message."""
    campaign = get_object_or_404(Campaign.objects.open(), slug=slug)
    try:
        guidelines_flags.raise_flag(request.user, campaign, request.POST.get("note", ""), timezone.now())
    except AnswerRefused as refused:
        messages.warning(request, wording.in_words(refused))
    else:
        messages.success(request, _("Thank you. Whoever runs this campaign will see it."))
    return redirect("tag", slug)


def tag_page(
    request: PersonalRequest,
    campaign: Campaign,
    assignment: Assignment | None,
    form: object = None,
    status: int = 200,
    paused: QuotaReached | None = None,
    is_mixed: bool = False,
    at_report: dict[str, str] | None = None,
) -> HttpResponse:
    """The page with this clip, or without one. `is_mixed`: in the mixed queue, at this campaign's turn."""
    now = timezone.now()
    given = own_progress.given(request.user, campaign, now)
    looks_elsewhere = not (assignment or paused or is_mixed)
    context = {
        "is_mixed": is_mixed,
        "here": _address(campaign, is_mixed),
        "next_campaign": mixed.next_after(request.user, campaign, now) if looks_elsewhere else None,
        "campaign": campaign,
        "examples": examples.for_campaign(campaign),
        "assignment": assignment,
        "paused": paused and {"sentence": wording.in_words(paused), "seconds": paused.seconds},
        "form": form or form_for(campaign)(),
        "labels": Label,
        "reasons": Report.Reason,
        "note_patterns": {
            "longest": notes.LONGEST,
            "rules": [(wording.in_words(AnswerRefused(code)), rule) for code, rule in notes.PATTERNS.items()],
        },
        "at_report": at_report,
        # After a reload the page continues with these, instead of borrowing more each time.
        "lent": assignments.playable_leases(request.user, campaign, now),
        "last": last_answers.for_campaign(request.user, campaign),
        "given": given,
        "today": given.today,
        "goal": goals.of(request.user, given.today),
        "community": community.latest(now),
    }
    return render(request, "tagger/desk/tag.html", context, status=status)
