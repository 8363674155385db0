"""How a reached limit is shown: status 429, `Retry-After`, and in words when to come again.

A view may let LimitReached pass: then people get a page, and programs JSON. A form that is shown again with
what was typed calls `sentence`, and its page becomes a 429 as well.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation

from .limits import LimitReached
from .refusals import in_words
from .wording import WORDS

STATUS = 429


def sentence(request: HttpRequest, reached: LimitReached) -> str:
    """For the form in which it is said."""
    request.limit_reached = reached  # type: ignore[attr-defined]
    return in_words(reached, WORDS)


def response(request: HttpRequest, reached: LimitReached) -> HttpResponse:
    """A page, or JSON for programs."""
    if request.path.startswith("/api/"):
        with translation.override("en"):
            answer: HttpResponse = JsonResponse({"detail": in_words(reached, WORDS)}, status=STATUS)
    else:
        answer = render(request, "429.html", {"sentence": in_words(reached, WORDS)}, status=STATUS)
    return with_time(answer, reached)


def with_time(answer: HttpResponse, reached: LimitReached) -> HttpResponse:
    answer["Retry-After"] = str(reached.seconds)
    return answer


class Middleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        reached = getattr(request, "limit_reached", None)
        if reached and isinstance(answer, HttpResponse):
            answer.status_code = STATUS
            return with_time(answer, reached)
        return answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return response(request, exception) if isinstance(exception, LimitReached) else None
