"""For everybody, without an account: is this paper from this site, and as it was issued?"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from . import audit, receipts, signing

# What is pasted arrives escaped, up to three times its size, and with the form around it.
MOST_SENT = 4 * receipts.MOST_BYTES


# Changes nothing and knows nobody, so a form from elsewhere can do no harm; and reading the token would
# read the body before its size was looked at.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def check_receipt(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "accounts/receipt_check.html")
    if _sent(request) > MOST_SENT:
        problem = _("That is too large for a receipt, so it was not read.")
        return render(request, "accounts/receipt_check.html", {"problem": problem}, status=413)
    try:
        document = receipts.read(_handed_over(request))
        receipts.check(document)
    except (receipts.Unreadable, signing.BadSignature, audit.Broken) as reason:
        return render(request, "accounts/receipt_check.html", {"problem": str(reason)})
    shown = {"document": document, "written": receipts.written(document).decode()}
    return render(request, "accounts/receipt_check.html", shown)


@require_GET
def signing_key(request: HttpRequest) -> JsonResponse:
    return JsonResponse(signing.public_key())


def _sent(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def _handed_over(request: HttpRequest) -> bytes:
    if file := request.FILES.get("file"):
        return file.read()
    pasted = request.POST.get("receipt", "").strip()
    if not pasted:
        raise receipts.Unreadable(_("Paste a receipt or choose its file first."))
    return pasted.encode(errors="replace")
