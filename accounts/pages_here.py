"""Whether an address that came with a request leads to a page of this site."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def leads_here(request: HttpRequest, page: str) -> bool:
    """Whether it is safe to send somebody on to it; an empty one leads nowhere."""
    return url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
