"""The installable app: its manifest, its service worker, and the page that is shown without a network."""

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.caching import public_document
from accounts.roles import open_without_factor

from . import release

_WORKER = Path(__file__).with_name("worker.js").read_text()
_ICONS = ((192, "any"), (512, "any"), (192, "maskable"), (512, "maskable"))
PAPER = "#f7f5f0"  # as in static/css/tokens.css; the page's theme-color has both themes
ACCENT = "#0b6a63"


@require_safe
@open_without_factor
@public_document
def manifest(request: HttpRequest) -> HttpResponse:
    """It has no text but the name, so it is the same in every language."""
    home = reverse("home")
    fields = {
        "id": home,
        "name": "Tagger",
        "short_name": "Tagger",
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": ACCENT,
        "icons": [_icon(size, purpose) for size, purpose in _ICONS],
    }
    return JsonResponse(fields, content_type="application/manifest+json")


def _icon(size: int, purpose: str) -> dict[str, str]:
    name = "icon" if purpose == "any" else purpose
    src = static(f"img/{name}-{size}.png")
    return {"src": src, "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}


@require_safe
@open_without_factor
@public_document
def worker(request: HttpRequest) -> HttpResponse:
    found = release.current()
    if found is None:
        raise Http404("static files have no hashes")
    response = HttpResponse(
        f"const RELEASE = {found.as_json};\n{_WORKER}", content_type="text/javascript; charset=utf-8"
    )
    response["Service-Worker-Allowed"] = reverse("home")
    return response


@require_safe
@open_without_factor
@public_document
def offline(request: HttpRequest, language: str) -> HttpResponse:
    """Fetched by the worker alone, once for each release, and named by it."""
    if language not in dict(settings.LANGUAGES):
        raise Http404("not a language of this site")
    response = HttpResponse(release.drawn(language, str(request.csp_nonce)))  # type: ignore[attr-defined]
    response["Content-Language"] = language
    if found := release.current():
        response["Tagger-Release"] = found.version
    return response
