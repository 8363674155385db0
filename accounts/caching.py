"""Responses that no browser or proxy may store."""

from typing import TypeVar

from django.http.response import HttpResponseBase

Response = TypeVar("Response", bound=HttpResponseBase)


def uncached(response: Response) -> Response:
    """The response, with the header that forbids caches to store it.

    For pages that show what a person may withdraw, and for responses to one person only.
    """
    response["Cache-Control"] = "no-store"
    return response
