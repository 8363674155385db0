"""Check a receipt, without an account: did this site issue it, and is it unchanged?"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from . import audit, receipts, signing
from .caching import public_document
from .refusals import in_words
from .roles import open_without_factor
from .wording import WORDS

# Pasted text arrives escaped, at up to three times its size, with the rest of the form around it.
MAX_BODY_BYTES = 4 * receipts.MAX_BYTES


# The view changes nothing and knows no user, so a forged form can do no harm. Checking the CSRF token would
# read the body before its size is checked.
@open_without_factor
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def check_receipt(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "accounts/receipt_check.html")
    if _body_length(request) > MAX_BODY_BYTES:
        problem = _("That is too large for a receipt, so it was not read.")
        return render(request, "accounts/receipt_check.html", {"problem": problem}, status=413)
    try:
        document = receipts.read(_submitted(request))
        receipts.check(document)
    except (receipts.Unreadable, signing.BadSignature, audit.ChainBroken) as refusal:
        return render(request, "accounts/receipt_check.html", {"problem": in_words(refusal, WORDS)})
    context = {"document": document, "written": receipts.as_file(document).decode()}
    return render(request, "accounts/receipt_check.html", context)


@open_without_factor
@require_GET
@public_document
def signing_key(request: HttpRequest) -> JsonResponse:
    return JsonResponse(signing.public_key())


def _body_length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def _submitted(request: HttpRequest) -> bytes:
    if file := request.FILES.get("file"):
        return file.read()
    pasted = request.POST.get("receipt", "").strip()
    if not pasted:
        raise receipts.Unreadable(receipts.ReceiptRefusal.EMPTY)
    return pasted.encode(errors="replace")
