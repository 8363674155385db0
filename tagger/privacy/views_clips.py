"""My clips: hear them, see where each stands, delete one, some or all; keep or bin what devices sent."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.caching import uncached
from accounts.roles import PersonalRequest
from datasets.clips import byteranges, vault

from . import erasure, my_clips

A_PAGE = 50


class CoolingOffForm(forms.Form):
    hours = forms.IntegerField(label=gettext_lazy("Hours to wait"), min_value=0, max_value=168)


# Open to everybody who is logged in: whose role was taken may still hear and delete what they shared.


@require_GET
@login_required
def clips(request: PersonalRequest) -> HttpResponse:
    return _page(request, CoolingOffForm(initial={"hours": request.user.cooling_off}))


@require_GET
@login_required
def audio(request: PersonalRequest, pk: int) -> HttpResponse:
    clip = get_object_or_404(my_clips.own(request.user), pk=pk)
    return byteranges.sound(request, vault.get(clip))


@require_http_methods(["GET", "POST"])
@login_required
def delete(request: PersonalRequest, pk: int) -> HttpResponse:
    clip = get_object_or_404(my_clips.own(request.user), pk=pk)
    if request.method == "POST":
        return redirect("erasure_receipt", erasure.of_clips(request.user, [clip.pk], timezone.now()))
    [shown] = my_clips.with_questions(my_clips.own(request.user).filter(pk=pk))
    return render(request, "tagger/privacy/my_clips_delete.html", {"shown": shown, "now": timezone.now()})


@require_POST
@login_required
def delete_ticked(request: PersonalRequest) -> HttpResponse:
    """Without asking again: to tick and to press are two acts, as many as it took to share."""
    ticked = my_clips.own(request.user).filter(pk__in=_ticked(request))
    if not (going := list(ticked.values_list("pk", flat=True))):
        return _nothing_ticked(request)
    return redirect("erasure_receipt", erasure.of_clips(request.user, going, timezone.now()))


@require_http_methods(["GET", "POST"])
@login_required
def delete_all(request: PersonalRequest) -> HttpResponse:
    if request.method == "POST":
        return redirect("erasure_receipt", erasure.of_contributor(request.user, timezone.now()))
    number = my_clips.own(request.user).count()
    return render(request, "tagger/privacy/my_clips_delete.html", {"number": number})


@require_POST
@login_required
def keep(request: PersonalRequest) -> HttpResponse:
    kept = my_clips.keep(request.user, _ticked(request), timezone.now())
    if not kept:
        return _nothing_ticked(request)
    words = ngettext("Shared: %(count)d clip.", "Shared: %(count)d clips.", kept) % {"count": kept}
    messages.success(
        request, words + " " + _("Volunteers may hear what you shared from now on, as you agreed.")
    )
    return redirect("my_clips")


@require_POST
@login_required
def cooling_off(request: PersonalRequest) -> HttpResponse:
    form = CoolingOffForm(request.POST)
    if form.is_valid():
        request.user.cooling_off = form.cleaned_data["hours"]
        request.user.save(update_fields=["cooling_off"])
        messages.success(request, _("Saved. This applies to clips that your devices send from now on."))
        return redirect("my_clips")
    return _page(request, form, status=400)


def _ticked(request: PersonalRequest) -> list[int]:
    """The boxes that were ticked; more digits than a row's number has are nonsense."""
    if request.POST.get("every") == "held":
        return list(my_clips.held(request.user).values_list("pk", flat=True))
    return [int(pk) for pk in request.POST.getlist("clip") if pk.isdecimal() and len(pk) <= 18]


def _nothing_ticked(request: PersonalRequest) -> HttpResponse:
    messages.warning(request, _("Select at least one clip first. Nothing was changed."))
    return redirect("my_clips")


def _on(page: Page[Any]) -> slice:
    return slice((page.number - 1) * A_PAGE, page.number * A_PAGE)


def _page(request: PersonalRequest, form: CoolingOffForm, status: int = 200) -> HttpResponse:
    held = my_clips.held(request.user)
    sent_out = my_clips.sent_out(request.user)
    page = Paginator(sent_out, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "now": timezone.now(),
        "held": my_clips.with_questions(held[:A_PAGE]),
        "number_held": held.count(),
        "page": page,
        "clips": my_clips.with_questions(sent_out[_on(page)]),
    }
    return uncached(render(request, "tagger/privacy/my_clips.html", context, status=status))
