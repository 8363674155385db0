"""Which responses may be stored. Those to someone who is logged in may not be, by the site's middleware."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http.response import HttpResponseBase

Response = TypeVar("Response", bound=HttpResponseBase)
View = Callable[..., Response]


def uncached(response: Response) -> Response:
    """The response, with the header that forbids caches to store it.

    For what is personal although no one is logged in, such as a receipt whose address is its key.
    """
    response["Cache-Control"] = "no-store"
    return response


def public_document(view: View[Response]) -> View[Response]:
    """A view that answers everyone alike, so caches may keep it, but ask each time whether it changed."""

    @wraps(view)
    def answered(*args: Any, **kwargs: Any) -> Response:
        response = view(*args, **kwargs)
        if response.status_code == 200:
            response["Cache-Control"] = "public, no-cache"
        return response

    return answered
