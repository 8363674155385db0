"""What every page may know of the site."""

from django.conf import settings
from django.http import HttpRequest


def sends_mail(request: HttpRequest) -> dict[str, bool]:
    """Whether a page may offer what needs a mail."""
    return {"sends_mail": settings.SENDS_MAIL}
