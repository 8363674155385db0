"""The page “What you share”: read the notice, give consent, see what is live, download receipts."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_GET

from . import consent as consents
from . import notices, receipts
from .consent_form import ConsentForm
from .models import Consent, Material, Purpose, Role
from .posting import posted_from
from .roles import PersonalRequest, contributor_required, open_without_factor


@open_without_factor
@require_GET
@login_required
def consent(request: PersonalRequest) -> HttpResponse:
    return _page(request, _form(request))


@posted_from("consent")
@contributor_required
def give(request: PersonalRequest) -> HttpResponse:
    form = _form(request, answered=True)
    if form.notice_has_changed():
        messages.error(
            request,
            _("The notice changed while you read it, so your choices were not saved. This is the new one."),
        )
        return redirect("consent")
    if form.is_valid():
        consents.answer(
            request.user,
            form.chosen(),
            timezone.now(),
            form.notice,
            supplements=form.supplements,
            disguised=form.disguised(),
        )
        messages.success(request, _("Saved. Your receipt is at the top of the list at the end of this page."))
        return redirect("consent")
    return _page(request, form, status=400)


@posted_from("consent")
@login_required
def disguise(request: PersonalRequest) -> HttpResponse:
    wanted = request.POST.get("disguised") == "yes"
    consents.disguise(request.user, wanted, timezone.now())
    if wanted:
        messages.success(request, _("From now on volunteers hear your wake-word clips disguised."))
    else:
        messages.success(
            request, _("From now on volunteers hear your wake-word clips as they were recorded.")
        )
    return redirect("consent")


@open_without_factor
@require_GET
@login_required
def receipt(request: PersonalRequest, receipt_id: UUID) -> HttpResponse:
    """One of your receipts, as a file."""
    found = next(
        (each for each in receipts.for_contributor(request.user) if each.id == str(receipt_id)), None
    )
    if found is None:
        raise Http404("no such receipt")
    response = HttpResponse(receipts.as_file(found.document()), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="receipt-{found.at:%Y-%m-%d}-{found.event}.json"'
    return response


def _form(request: PersonalRequest, answered: bool = False) -> ConsentForm:
    language = _language(request)
    notice, supplements = notices.current(language), notices.supplements(language)
    live = [each for each in consents.live_now(request.user) if consents.covers_new_clips(each)]
    return ConsentForm(notice, supplements, live, request.POST if answered else None)


def _page(request: PersonalRequest, form: ConsentForm, status: int = 200) -> HttpResponse:
    live = consents.live_now(request.user)
    shown = {
        "form": form,
        "may_give": request.user.has_role(Role.CONTRIBUTOR) and not request.user.lacks_factor,
        "notice": form.notice,
        "withdraw_all": form.words["withdraw-all"],
        "sections": [section for text in form.texts for section in notices.sections(text)],
        "languages": notices.languages(),
        "live": [
            {"consent": each, "words": _words(form, each), "current": consents.covers_new_clips(each)}
            for each in live
        ],
        "asks_again": any(not consents.covers_new_clips(each) for each in live),
        "heard_disguised": consents.is_disguised(request.user),
        "wake_words_are_heard": any(_is_heard_wake_word(each) for each in live),
        "trains_synthesis": any(each.purpose == Purpose.SYNTHESIS for each in live),
        "receipts": receipts.for_contributor(request.user),
    }
    return render(request, "accounts/consent.html", shown, status=status)


def _language(request: HttpRequest) -> str:
    """The notice's language: the requested one, else that of the pages, else the browser's preference."""
    offered = notices.languages()
    requested = [request.POST.get("language", ""), request.GET.get("language", "")]
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    preferred = [
        code for code, _weight in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    ]
    for code in [*requested, chosen, *preferred]:
        if (primary := code.partition("-")[0]) in offered:
            return primary
    return notices.DEFAULT_LANGUAGE


def _words(form: ConsentForm, given: Consent) -> str:
    return form.words[f"{given.material}.{given.purpose}"]


def _is_heard_wake_word(given: Consent) -> bool:
    return (given.material, given.purpose) == (Material.WAKE_WORD, Purpose.VOLUNTEERS)
