"""Addresses that only take a form. Opened by themselves, they lead to the page that has the form."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def posted_from(page: str | Callable[..., str]) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """A view for POST alone. `page` is the name of the page with its form, or gives the address of it.

    People come to its address by a reload, the back button, or from the log-in page.
    """

    def guard(view: View) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method in ("GET", "HEAD"):
                return redirect(page if isinstance(page, str) else page(request, *args, **kwargs))
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            return view(request, *args, **kwargs)

        return guarded

    return guard
