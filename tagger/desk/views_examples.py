"""The example clips next to the guidelines: their sound, and reports of them."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts import audit
from accounts.posting import posted_from
from accounts.roles import PersonalRequest, listener_required
from datasets import reviewing
from datasets.clips import byteranges, hearing
from tagger.lending import assignments
from tagger.lending.quotas import QuotaReached
from tagger.lending.refusals import AnswerRefused
from tagger.welcome import pledge

from . import examples, wording


@require_GET
@listener_required
def audio(request: PersonalRequest, pk: int) -> HttpResponse:
    example = get_object_or_404(examples.shown(), pk=pk)
    if reviewing.may_review(request.user, example.task.campaign_id):
        audit.record_hearing(f"clip {example.task.clip_id}", request.user, timezone.now())
    elif not pledge.is_made(request.user):
        raise PermissionDenied(_("Make the listener's pledge first."))
    return byteranges.sound(request, hearing.for_volunteers(example.task.clip))


@posted_from("campaigns")
@listener_required
def report(request: PersonalRequest, pk: int) -> HttpResponse:
    """Report an example: any person who may hear it may do so."""
    example = examples.shown().filter(pk=pk).first()
    if example is None:  # reported or removed since the page was drawn
        messages.success(request, _("That example is no longer shown."))
        return redirect("campaigns")
    try:
        assignments.report_example(request.user, example.task, request.POST.get("reason", ""), timezone.now())
    except QuotaReached as reached:
        messages.warning(request, wording.in_words(reached))
    except AnswerRefused:
        messages.warning(request, _("Choose what is wrong with the example."))
    else:
        messages.success(request, _("Thank you. Reviewers are told about this clip."))
    return redirect("tag", example.task.campaign.slug)
