"""The page “My clips”: hear clips, see their progress, delete them, and share device uploads early."""

from datetime import timedelta
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
from django.views.decorators.http import require_GET, require_http_methods

from accounts import reauthentication
from accounts.browser_data import forget_pages
from accounts.posting import posted_from
from accounts.roles import PersonalRequest, open_without_factor
from datasets.clips import byteranges, vault

from . import erasure, my_clips

PAGE_SIZE = 50
TOLD_FOR = timedelta(days=90)  # that a reviewer destroyed a clip


class CoolingOffForm(forms.Form):
    hours = forms.IntegerField(label=gettext_lazy("Hours to wait"), min_value=0, max_value=168)


# Open to everyone who is logged in: people who lost the role may still hear and delete what they shared.


@open_without_factor
@require_GET
@login_required
def clips(request: PersonalRequest) -> HttpResponse:
    return _page(request, CoolingOffForm(initial={"hours": request.user.cooling_off}))


@open_without_factor
@require_GET
@login_required
def audio(request: PersonalRequest, pk: int) -> HttpResponse:
    clip = get_object_or_404(my_clips.own(request.user), pk=pk)
    return byteranges.sound(request, vault.get(clip))


@open_without_factor
@require_http_methods(["GET", "POST"])
@login_required
def delete(request: PersonalRequest, pk: int) -> HttpResponse:
    clip = get_object_or_404(my_clips.own(request.user), pk=pk)
    if request.method == "POST":
        return _receipt(erasure.erase_clips(request.user, [clip.pk], timezone.now()))
    [shown] = my_clips.with_questions(my_clips.own(request.user).filter(pk=pk))
    return render(request, "tagger/privacy/my_clips_delete.html", {"shown": shown, "now": timezone.now()})


@open_without_factor
@posted_from("my_clips")
@login_required
def delete_ticked(request: PersonalRequest) -> HttpResponse:
    """Asks for no confirmation: ticking and pressing are two acts, as many as sharing took."""
    ticked = my_clips.own(request.user).filter(pk__in=_ticked(request))
    if not (going := list(ticked.values_list("pk", flat=True))):
        return _nothing_ticked(request)
    return _receipt(erasure.erase_clips(request.user, going, timezone.now()))


@open_without_factor
@require_http_methods(["GET", "POST"])
@login_required
@reauthentication.required("POST")
def delete_all(request: PersonalRequest) -> HttpResponse:
    if request.method == "POST":
        return _receipt(erasure.erase_contributor(request.user, timezone.now()))
    reauthentication.resumed(request)
    number = my_clips.own(request.user).count()
    return render(request, "tagger/privacy/my_clips_delete.html", {"number": number})


@posted_from("my_clips")
@login_required
def keep(request: PersonalRequest) -> HttpResponse:
    kept = my_clips.end_cooling_off(request.user, _ticked(request), timezone.now())
    if not kept:
        return _nothing_ticked(request)
    words = ngettext("Shared: %(count)d clip.", "Shared: %(count)d clips.", kept) % {"count": kept}
    messages.success(
        request, words + " " + _("From now on volunteers may hear what you shared, as you agreed.")
    )
    return redirect("my_clips")


@posted_from("my_clips")
@login_required
def cooling_off(request: PersonalRequest) -> HttpResponse:
    form = CoolingOffForm(request.POST)
    if form.is_valid():
        request.user.cooling_off = form.cleaned_data["hours"]
        request.user.save(update_fields=["cooling_off"])
        messages.success(request, _("Saved. This applies to clips that your devices send from now on."))
        return redirect("my_clips")
    return _page(request, form, status=400)


def _receipt(token: str) -> HttpResponse:
    """On the way there the browser drops pages and sounds that it kept: they may be of the clips that go."""
    return forget_pages(redirect("erasure_receipt", token))


def _ticked(request: PersonalRequest) -> list[int]:
    """The ids of the ticked clips. Ids with more digits than the database allows are ignored."""
    if request.POST.get("every") == "held":
        return list(my_clips.held(request.user).values_list("pk", flat=True))
    return [int(pk) for pk in request.POST.getlist("clip") if pk.isdecimal() and len(pk) <= 18]


def _nothing_ticked(request: PersonalRequest) -> HttpResponse:
    messages.warning(request, _("Select at least one clip first. Nothing was changed."))
    return redirect("my_clips")


def _rows_of(page: Page[Any]) -> slice:
    return slice((page.number - 1) * PAGE_SIZE, page.number * PAGE_SIZE)


def _page(request: PersonalRequest, form: CoolingOffForm, status: int = 200) -> HttpResponse:
    held = my_clips.held(request.user)
    shared = my_clips.shared(request.user)
    page = Paginator(shared, PAGE_SIZE).get_page(request.GET.get("page"))
    now = timezone.now()
    context = {
        "form": form,
        "now": now,
        "destroyed": my_clips.destroyed(request.user, now - TOLD_FOR),
        "held": my_clips.with_questions(held[:PAGE_SIZE]),
        "number_held": held.count(),
        "page": page,
        "clips": my_clips.with_questions(shared[_rows_of(page)]),
    }
    return render(request, "tagger/privacy/my_clips.html", context, status=status)
