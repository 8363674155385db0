"""The page of the look before publication: one clip, heard whole, one answer. Works without JavaScript."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.posting import posted_from
from accounts.roles import PersonalRequest, privacy_reviewer_required
from tagger.models import PrivacyCheck

from . import clearing, sounds
from .check_form import CheckForm
from .clearing import CheckRefusal, CheckRefused
from .wording import in_words


@require_GET
@privacy_reviewer_required
def checks(request: PersonalRequest) -> HttpResponse:
    """Lend the next clip and show it."""
    check = clearing.take(request.user, timezone.now())
    if check is None:
        return render(request, "tagger/review/nothing_to_check.html")
    return _page(request, check, CheckForm())


@require_GET
@privacy_reviewer_required
def audio(request: PersonalRequest, pk: int) -> HttpResponse:
    return sounds.of_check(request, pk)


@posted_from("checks")
@privacy_reviewer_required
def answer(request: PersonalRequest, pk: int) -> HttpResponse:
    check, form = get_object_or_404(request.user.privacy_checks, pk=pk), CheckForm(request.POST)
    try:
        clearing.answer(check, now=timezone.now(), **form.said())
    except CheckRefused as refusal:
        if refusal.code in {CheckRefusal.TOO_LATE, CheckRefusal.ALREADY_ANSWERED}:
            messages.error(request, in_words(refusal))
            return redirect("checks")
        return _page(request, check, form, error=in_words(refusal), status=400)
    return redirect("checks")


@posted_from("checks")
@privacy_reviewer_required
def put_back(request: PersonalRequest, pk: int) -> HttpResponse:
    """Not now: somebody else may check it."""
    clearing.put_back(get_object_or_404(request.user.privacy_checks, pk=pk))
    return redirect("checks")


def _page(
    request: PersonalRequest, check: PrivacyCheck, form: CheckForm, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "check": check,
        "form": form,
        "error": error,
        "done_today": clearing.count_done_today(request.user, timezone.now()),
    }
    return render(request, "tagger/review/checks.html", context, status=status)
