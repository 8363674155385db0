"""Context processors: what every template may know about the site."""

from django.conf import settings
from django.http import HttpRequest

from . import operators
from .models import Operator


def sends_mail(request: HttpRequest) -> dict[str, bool]:
    """Whether the site can send e-mail, so that pages offer what needs it."""
    return {"sends_mail": settings.SENDS_MAIL}


def operator(request: HttpRequest) -> dict[str, Operator | None]:
    """Who runs this site, for the end of every page."""
    return {"operator": operators.present()}
