"""The page of one item of the review queue: hear it, see the evidence, decide. Works without JavaScript."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.keys import KeyLost
from accounts.posting import posted_from
from accounts.roles import PersonalRequest, reviewer_required
from accounts.typed import keeps_typed
from datasets.models import Label
from datasets.normalise import BadTranscript
from tagger.desk import examples
from tagger.forms import ExampleForm
from tagger.lending.refusals import AnswerRefused
from tagger.models import Decision, ReviewItem
from tagger.privacy import silencing
from tagger.privacy.silencing import SilencingRefused

from . import acts, clearing, evidence, named_acts, near, private_sound, queue, reports, sounds, undo
from .part_form import PartForm
from .refusals import ReviewRefused
from .views import counted
from .wording import in_words


@require_GET
@reviewer_required
def next_item(request: PersonalRequest) -> HttpResponse:
    """Lend the next item and show it."""
    form = PartForm(request.GET)
    after = form.after()
    found = queue.take(request.user, form.part(), timezone.now(), after)
    if found is None:
        held = form.part().of(queue.held(request.user, timezone.now()), timezone.now())
        found = (held.exclude(pk=after.pk) if after else held).first()
    if found is None:
        return render(request, "tagger/review/nothing_left.html", {"query": form.query()})
    return redirect(f"{reverse('review_item', args=[found.pk])}?{form.query()}")


@require_GET
@reviewer_required
def item(request: PersonalRequest, pk: int) -> HttpResponse:
    """The item, lent to whoever looks at it if no one else has it."""
    found = _item(request, pk)
    queue.hold(found, request.user, timezone.now())
    return _page(request, found)


@require_GET
@reviewer_required
def audio(request: PersonalRequest, pk: int) -> HttpResponse:
    return sounds.of_item(request, _item(request, pk))


@require_GET
@reviewer_required
def near_audio(request: PersonalRequest, pk: int, clip: int) -> HttpResponse:
    return sounds.near_item(request, _item(request, pk), clip)


@keeps_typed("answer", "remark", "note", "parts")
@posted_from("review")
@reviewer_required
def decide(request: PersonalRequest, pk: int, act: str) -> HttpResponse:
    found, form = _item(request, pk), PartForm(request.POST)
    shown = ExampleForm(request.POST)
    try:
        if act == "accept" and not shown.is_valid():
            return _page(request, found, sent=request.POST, shown=shown, status=400)
        sent = _sent(request, found) | _example(shown)
        if act in undo.FOR_GOOD and "sure" not in request.POST:
            left = silencing.texts_left(found.clip, sent["parts"]) if act == "silence" else []
            return _page(request, found, sent=request.POST, unsure=act, left=left)
        decision = named_acts.do(act, found, request.user, sent, timezone.now())
    except (BadTranscript, AnswerRefused) as refusal:
        return _page(request, found, sent=request.POST, error=in_words(refusal), status=400)
    except (ReviewRefused, SilencingRefused, examples.ExampleRefused) as refusal:
        return _page(request, found, sent=request.POST, error=in_words(refusal), status=409)
    if act == "undo" or (decision and not decision.item.closed_at):
        messages.success(request, _("Undone.") if act == "undo" else _("These seconds are silent now."))
        return redirect(f"{reverse('review_item', args=[pk])}?{form.query()}")
    if decision:
        messages.success(request, _("Decided. Thank you."))
    return redirect(f"{reverse('review_next')}?{form.query(after_item=pk)}")


def _item(request: PersonalRequest, pk: int) -> ReviewItem:
    return get_object_or_404(queue.allowed_to(request.user).with_keys(), pk=pk)


def _sent(request: PersonalRequest, found: ReviewItem) -> dict[str, Any]:
    """What the act takes of the form, under the names that programs use too."""
    number = request.POST.get("number", "")
    sent: dict[str, Any] = {
        "reason": request.POST.get("reason", ""),
        "note": " ".join(request.POST.get("remark", "").split()),
        "parts": private_sound.parts_of(request.POST.get("parts", "")),
        "number": int(number) if number.isdecimal() and len(number) < 4 else 0,
    }
    answer = "" if "no_speech" in request.POST else request.POST.get("answer", "").strip()
    if found.campaign.asks_for_words:
        # An empty box is more often a slip than an answer, so “No one speaks” has its own button.
        return sent | ({"transcript": answer} if answer or "no_speech" in request.POST else {})
    return sent | {"answer": answer}


def _example(shown: ExampleForm) -> dict[str, Any]:
    if not shown.is_valid():
        return {}
    return {"is_example": shown.cleaned_data["is_example"], "example_note": shown.cleaned_data["note"]}


def _history(found: ReviewItem) -> list[Decision]:
    """Whoever looks a second time does not see what was decided first."""
    return [] if found.reason == ReviewItem.Reason.SECOND_LOOK else evidence.history(found)


def _page(
    request: PersonalRequest,
    found: ReviewItem,
    sent: Any = None,
    shown: ExampleForm | None = None,
    error: str = "",
    unsure: str = "",
    left: Sequence[silencing.Left] = (),
    status: int = 200,
) -> HttpResponse:
    now, form = timezone.now(), PartForm(request.POST or request.GET)
    campaign = found.campaign
    try:
        seen = evidence.of(found, now)
        past = [(each, each.answer, each.note) for each in _history(found)]
    except KeyLost:  # the speaker left while this request ran
        return redirect(f"{reverse('review_next')}?{form.query(after_item=found.pk)}")
    reported = reports.of(found.clip)
    checks = clearing.told_of(found.clip) if found.kind == ReviewItem.Kind.CHECK else []
    waiting = queue.waiting(request.user, form.part(), now)
    is_held_by_another = found.reviewer_id not in {None, request.user.pk} and (found.lent_until or now) > now
    context = {
        "item": found,
        "campaign": campaign,
        "evidence": seen,
        "checks": checks,
        "reports": reported,
        "near": near.of(found),
        "parts": sent.get("parts", "") if sent else private_sound.typed(reported, checks),
        "unsure": unsure,
        "left": left,
        "history": past,
        "draft": (sent.get("answer", "") if sent else "") or (seen and (seen.settled or seen.leading)) or "",
        "remark": sent.get("remark", "") if sent else "",
        "error": error,
        "is_open": found.closed_at is None,
        "is_held_by_another": is_held_by_another,
        "shown": shown or ExampleForm(),
        "may_be_example": found.task is not None and examples.may_choose(found.task),
        "examples": examples.for_campaign(campaign),
        "labels": Label,
        "unusable_reasons": Decision.UnusableReason,
        "numbers": range(1, acts.MOST_MORE + 1),
        "form": form,
        "query": form.query(),
        "last": undo.last_of(request.user),
        "waiting": waiting,
        "waiting_shown": counted(waiting),
    }
    return render(request, "tagger/review/item.html", context, status=status)
