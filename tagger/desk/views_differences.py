"""Where a volunteer's answers differ from the settled ones: hear the clip again, and object once."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.posting import posted_from
from accounts.roles import PersonalRequest, annotator_required
from accounts.typed import keeps_typed
from datasets.models import Annotation, Label
from datasets.normalise import LONGEST, BadTranscript
from tagger.forms import form_for
from tagger.lending import notes
from tagger.lending.quotas import QuotaReached
from tagger.lending.refusals import AnswerRefused
from tagger.welcome import pledge

from . import differences, objections, wording


@dataclass(frozen=True)
class Refused:
    """What was sent and refused, shown again in its form."""

    annotation: int
    answer: str
    note: str
    sentence: str


@require_GET
@annotator_required
def all_differences(request: PersonalRequest) -> HttpResponse:
    if not pledge.is_made(request.user):
        return redirect(pledge.address(reverse("differences")))
    return _page(request, _after(request.user, request.GET.get("after", "")))


@keeps_typed("answer", "note")
@posted_from("differences")
@annotator_required
def object_to(request: PersonalRequest, pk: int) -> HttpResponse:
    """'I still think …': ask a reviewer to hear this clip again."""
    given = get_object_or_404(request.user.annotations.select_related("task__campaign"), pk=pk)
    after = request.POST.get("after", "")
    form, note = form_for(given.task.campaign)(request.POST), request.POST.get("note", "")
    try:
        if not form.is_valid():
            return _again(request, pk, " ".join(map(str, form.non_field_errors())) or _("Choose an answer."))
        objections.store(request.user, pk, form.cleaned_data["answer"], note, timezone.now())
    except Annotation.DoesNotExist:
        messages.warning(request, _("This clip is no longer among those that differ."))
    except (AnswerRefused, BadTranscript, QuotaReached) as refused:
        return _again(request, pk, wording.in_words(refused))
    else:
        messages.success(request, _("Thank you. A reviewer will hear this clip again."))
    kept = f"?after={after}" if after.isdecimal() else ""
    return redirect(f"{reverse('differences')}{kept}#answer-{pk}")


def _again(request: PersonalRequest, pk: int, sentence: str) -> HttpResponse:
    sent = request.POST
    refused = Refused(pk, sent.get("answer", ""), sent.get("note", ""), sentence)
    return _page(request, _after(request.user, sent.get("after", "")), refused)


def _after(person: User, sent: str) -> Annotation | None:
    """The answer after which the page begins."""
    is_number = sent.removeprefix("-").isdecimal() and len(sent) < 20
    return person.annotations.filter(pk=int(sent)).first() if is_number else None


def _page(request: PersonalRequest, after: Annotation | None, refused: Refused | None = None) -> HttpResponse:
    found, goes_on_after = differences.page(request.user, after)
    context = {
        "differences": found,
        "after": after,
        "goes_on_after": goes_on_after,
        "refused": refused,
        "labels": Label,
        "longest": LONGEST,
        "longest_note": notes.LONGEST,
    }
    return render(request, "tagger/desk/differences.html", context, status=400 if refused else 200)
