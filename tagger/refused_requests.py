"""Refusals that no view words: in JSON, plain text or as a page, by who calls the address."""

import re

from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views import defaults

from .languages import FOR_PROGRAMS

# Devices read a refused upload as JSON, and any other refusal as plain text.
_IN_JSON = re.compile("/api/|/v1/device/[^/]+/(?:wake-word|utterance)-file$")

TOO_LARGE = _("What was sent is larger than this address accepts. It was not read.")
TOO_MANY = _("What was sent has more fields or files than this site accepts.")
NOT_AS_DECLARED = _("What was sent cannot be read: it is not what its header Content-Type says.")
NOT_UNDERSTOOD = _("The header or address of this request is not one that this site accepts.")


def answer(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """A refusal in the form that this address answers in."""
    if _IN_JSON.match(request.path_info):
        return JsonResponse({"detail": sentence}, status=status)
    if request.path_info.startswith(FOR_PROGRAMS):
        return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    return render(request, "400.html", {"problem": sentence, "too_large": status == 413}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For requests that turn out to be nonsense while they are read. Django calls it."""
    if isinstance(exception, RequestDataTooBig):
        return answer(request, 413, str(TOO_LARGE))
    if isinstance(exception, (TooManyFieldsSent, TooManyFilesSent)):
        return answer(request, 400, str(TOO_MANY))
    if isinstance(exception, (MultiPartParserError, BadRequest)):
        return answer(request, 400, str(NOT_AS_DECLARED))
    return answer(request, 400, str(NOT_UNDERSTOOD))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For addresses that do not exist. Django calls it."""
    if request.path_info.startswith(FOR_PROGRAMS):
        return answer(request, 404, "Not found.")
    return defaults.page_not_found(request, exception)
