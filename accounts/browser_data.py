"""Make the browser forget what it holds of someone who logs out, leaves, or takes clips back.

Without JavaScript too: by the response header Clear-Site-Data, which browsers obey on HTTPS and on localhost.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token

Response = TypeVar("Response", bound=HttpResponseBase)
View = Callable[..., HttpResponse]


def forget_everything(response: Response) -> Response:
    """The response, with the header that clears what scripts stored, and pages and sounds that were kept.

    Not cookies: the session's is deleted anyway, and the reader's language is not about who they are.
    """
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


def forget_pages(response: Response) -> Response:
    """The response, with the header that clears pages and sounds that were kept, and nothing else."""
    response["Clear-Site-Data"] = '"cache"'
    return response


def logs_out(view: View) -> View:
    """A view that logs out when something is posted to it."""

    @wraps(view)
    def logging_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.method != "POST" or request.user.is_authenticated:
            return response
        # What a page sealed on the device is sealed with the old one (static/js/desk/sync/sealed.js).
        rotate_token(request)
        return forget_everything(response)

    return logging_out
