"""The page on which a reviewer hears many disputes and accepts what leads. Works without JavaScript."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from accounts.posting import posted_from
from accounts.roles import PersonalRequest, reviewer_required

from . import bulk, queue
from .part_form import PartForm
from .wording import in_words


@require_GET
@reviewer_required
def play_through(request: PersonalRequest) -> HttpResponse:
    """Lend up to bulk.MOST disputes, and show each with its leading answer."""
    form = PartForm(request.GET)
    proposed = bulk.take(request.user, form.part(), timezone.now())
    return render(
        request, "tagger/review/bulk.html", {"proposed": proposed, "form": form, "query": form.query()}
    )


@posted_from("review_bulk")
@reviewer_required
def accept_others(request: PersonalRequest) -> HttpResponse:
    """Accept what was shown, except what the reviewer marked."""
    form, answers = PartForm(request.POST), _answers(request.POST)
    left = {int(number) for number in request.POST.getlist("leave") if number.isdecimal()}
    chosen = {number: answer for number, answer in answers.items() if number not in left}
    accepted, refused = bulk.accept(chosen, request.user, timezone.now())
    queue.put_back([number for number in answers if number in left], request.user)
    text = ngettext("%(number)d answer is accepted.", "%(number)d answers are accepted.", accepted)
    messages.success(request, text % {"number": accepted})
    for item, why in refused:
        messages.error(
            request, _("Not accepted: %(clip)s. %(why)s") % {"clip": item.clip, "why": in_words(why)}
        )
    return redirect(f"{reverse('review')}?{form.query()}")


def _answers(sent: QueryDict) -> dict[int, str]:
    """What the page proposed, by item."""
    named = ((name.partition("-")[2], sent.get(name, "")) for name in sent if name.startswith("answer-"))
    return {int(number): answer for number, answer in list(named)[: bulk.MOST] if number.isdecimal()}
