"""The challenges of a month: set by a campaign's owner, taken up by whoever likes."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.posting import posted_from
from accounts.refusals import in_words
from accounts.roles import PersonalRequest, annotator_required
from datasets.models import Campaign
from tagger.models import Challenge

from . import challenges, wording


class ChallengeForm(forms.Form):
    days = forms.IntegerField(
        label=_("Days"),
        help_text=_("On how many days of this month should people answer something? At most 28."),
        min_value=1,
        max_value=28,
    )


@require_http_methods(["GET", "POST"])
@annotator_required
def choose(request: PersonalRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.open(), slug=slug)
    if not challenges.may_set(request.user, campaign):
        raise PermissionDenied(_("Only a campaign's owner can set its challenge."))
    now = timezone.now()
    form = ChallengeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            challenges.set_for(campaign, form.cleaned_data["days"], now)
        except challenges.ChallengeRefused as refused:
            form.add_error("days", in_words(refused, wording.WORDS))
        else:
            messages.success(request, _("The challenge is set. Volunteers can take part now."))
            return redirect("campaigns")
    context = {"campaign": campaign, "form": form, "now": now}
    return render(request, "tagger/progress/challenge.html", context, status=400 if form.errors else 200)


@posted_from("campaigns")
@annotator_required
def take_part(request: PersonalRequest, pk: int) -> HttpResponse:
    month = challenges.month_of(timezone.now())
    challenge = get_object_or_404(Challenge, pk=pk, month=month, campaign__stage=Campaign.Stage.OPEN)
    challenges.take_part(request.user, challenge, request.POST.get("switch") == "on")
    return redirect("my_answers" if request.POST.get("from") == "my_answers" else "campaigns")
