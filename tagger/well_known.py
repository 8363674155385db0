"""Two files at fixed addresses: whom to tell of a weakness (RFC 9116), and what search engines may list."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.caching import public_document

# RFC 9116 wants less than a year. It is read anew each time, so it never runs out.
_VALID_FOR = timedelta(days=90)

# Pages that say the same to everyone. The address of an erasure's receipt is its key, and is never listed.
_ROBOTS = """\
User-agent: *
Allow: /$
Allow: /ledger/$
Allow: /receipts/$
Allow: /static/
Disallow: /
"""


@require_safe
@public_document
def security_txt(request: HttpRequest) -> HttpResponse:
    """404 unless the operator named an address: a contact that no one can write to is worse than none."""
    if not settings.SECURITY_CONTACT:
        raise Http404("no address to write to")
    expires = datetime.combine((timezone.now() + _VALID_FOR).date(), time(), timezone.get_default_timezone())
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires.isoformat()}",
        "Preferred-Languages: en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
    ]
    return _text("\n".join(lines) + "\n")


@require_safe
@public_document
def robots_txt(request: HttpRequest) -> HttpResponse:
    return _text(_ROBOTS)


def _text(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
