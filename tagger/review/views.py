"""The reviewers' pages: reported clips, disputes and examples."""

from collections import Counter

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from accounts import audit
from accounts.models import Role, User
from accounts.posting import posted_from
from accounts.refusals import in_words
from accounts.roles import PersonalRequest, reviewer_required
from accounts.typed import keeps_typed
from datasets.clips import byteranges, hearing
from datasets.models import Clip, Label
from datasets.normalise import BadTranscript
from tagger.desk import examples, guidelines_flags, wording
from tagger.forms import ExampleForm, form_for

from . import disputes, reports, rises
from .wording import WORDS


@require_GET
@reviewer_required
def review(request: PersonalRequest) -> HttpResponse:
    """The list of reported clips, disputes and examples."""
    context = {
        "rises": rises.unseen_by(request.user),
        "unclear": guidelines_flags.unseen_by(request.user),
        "hidden": reports.with_records(reports.open_for(request.user)[:50]),
        "not_hidden": reports.with_records(reports.not_hidden_for(request.user)[:50]),
        "disputes": disputes.open_for(request.user)[:50],
        "examples": examples.for_reviewer(request.user)[:50],
        "labels": Label,
    }
    return render(request, "tagger/review/review.html", context)


@keeps_typed("answer", "note")
@reviewer_required
def decide(request: PersonalRequest, pk: int) -> HttpResponse:
    dispute = get_object_or_404(disputes.open_for(request.user), pk=pk)
    form = form_for(dispute.task.campaign)(request.POST or None)
    shown = ExampleForm(request.POST or None)
    # A list, not `and`: both forms are checked, so that both show their errors.
    if request.method == "POST" and all([form.is_valid(), shown.is_valid()]):
        try:
            with transaction.atomic():
                disputes.decide(dispute, request.user, form.cleaned_data["answer"], timezone.now())
                if shown.cleaned_data["is_example"]:
                    examples.choose(dispute.task, shown.cleaned_data["note"])
        except BadTranscript as refusal:
            form.add_error("answer", wording.in_words(refusal))
        except (disputes.DisputeRefused, examples.ExampleRefused) as refusal:
            messages.warning(request, in_words(refusal, WORDS))
            return redirect("review")
        else:
            messages.success(request, _("Decided. Thank you."))
            return redirect("review")
    given = list(dispute.task.annotations.order_by("id"))
    votes = Counter(annotation.answer for annotation in given)
    context = {
        "dispute": dispute,
        "campaign": dispute.task.campaign,
        "examples": examples.for_campaign(dispute.task.campaign),
        "form": form,
        "shown": shown,
        "may_be_example": examples.may_choose(dispute.task),
        "labels": Label,
        # Without names: a reviewer judges the clip, not the people.
        "answers": [{"answer": answer, "votes": count} for answer, count in votes.most_common()],
        "several_speakers": sum(annotation.several_speakers for annotation in given),
    }
    status = 400 if form.errors or shown.errors else 200
    return render(request, "tagger/review/decide.html", context, status=status)


@require_GET
@reviewer_required
def dispute_audio(request: PersonalRequest, pk: int) -> HttpResponse:
    dispute = get_object_or_404(disputes.open_for(request.user), pk=pk)
    return _sound(request, dispute.task.clip)


@require_GET
@reviewer_required
def report_audio(request: PersonalRequest, pk: int) -> HttpResponse:
    clip = get_object_or_404(reports.judged_by(request.user), pk=pk)
    return _sound(request, clip)


@posted_from("review")
@reviewer_required
def show_again(request: PersonalRequest, pk: int) -> HttpResponse:
    """Put a reported clip back in the queue: the reviewer found nothing wrong with it."""
    reports.dismiss(get_object_or_404(reports.judged_by(request.user), pk=pk), request.user, timezone.now())
    messages.success(request, _("The clip is back in the queue."))
    return redirect("review")


@posted_from("review")
@reviewer_required
def dismiss_all(request: PersonalRequest, pk: int) -> HttpResponse:
    """Dismiss every open report of one volunteer."""
    reporter = get_object_or_404(User, pk=pk, is_active=True)
    dismissed = reports.dismiss_all_of(reporter.pk, request.user, timezone.now())
    text = ngettext(
        "%(number)d report of volunteer %(pk)d is dismissed.",
        "%(number)d reports of volunteer %(pk)d are dismissed.",
        dismissed,
    )
    messages.success(request, text % {"number": dismissed, "pk": pk})
    return redirect("review")


@posted_from("campaigns")
@login_required
def rise_seen(request: PersonalRequest, pk: int) -> HttpResponse:
    """A campaign's owner or a reviewer has seen that reports rose."""
    rise = get_object_or_404(rises.unseen_by(request.user), pk=pk)
    rises.mark_seen(rise, request.user, timezone.now())
    return redirect("review" if request.user.has_role(Role.REVIEWER) else "campaigns")


@posted_from("campaigns")
@login_required
def flags_seen(request: PersonalRequest, slug: str) -> HttpResponse:
    """A campaign's owner or a reviewer has seen that its guidelines are unclear to somebody."""
    found = [each.campaign for each in guidelines_flags.unseen_by(request.user)]
    campaign = next((each for each in found if each.slug == slug), None)
    if campaign is None:
        raise Http404
    guidelines_flags.mark_seen(campaign, request.user, timezone.now())
    return redirect("review" if request.user.has_role(Role.REVIEWER) else "campaigns")


@posted_from("review")
@reviewer_required
def take_out(request: PersonalRequest, pk: int) -> HttpResponse:
    examples.take_out(get_object_or_404(examples.for_reviewer(request.user), pk=pk))
    messages.success(request, _("The clip is no longer an example."))
    return redirect("review")


def _sound(request: PersonalRequest, clip: Clip) -> HttpResponse:
    """The clip as volunteers hear it; the audit log records who listened."""
    audit.record_hearing(f"clip {clip.pk}", request.user, timezone.now())
    return byteranges.sound(request, hearing.for_volunteers(clip))
