"""Pages are in the reader's language, chosen in the footer or else by the browser; programs read English."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

# The addresses for programs and devices begin so: their errors are the same text for everyone.
FOR_PROGRAMS = ("/api/", "/v1/")


class ReadersLanguage(LocaleMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        if _is_call(request):
            translation.activate("en")
            request.LANGUAGE_CODE = "en"
        else:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        # These do not vary by language, and caches must not be told that they do.
        return response if _is_call(request) else super().process_response(request, response)


def _is_call(request: HttpRequest) -> bool:
    return request.path_info.startswith(FOR_PROGRAMS)
