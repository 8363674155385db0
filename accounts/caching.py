"""Responses that neither a browser nor a proxy may keep a copy of."""

from typing import TypeVar

from django.http.response import HttpResponseBase

Response = TypeVar("Response", bound=HttpResponseBase)


def uncached(response: Response) -> Response:
    """The response, with the header that forbids every cache to store it.

    For pages that show what a person may withdraw, and for answers meant for one person alone.
    """
    response["Cache-Control"] = "no-store"
    return response
