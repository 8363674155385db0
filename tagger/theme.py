"""The theme that a browser chose: light, dark, or as its device says. It is kept only in a cookie there."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from accounts.pages_here import leads_here
from accounts.posting import posted_from
from accounts.roles import open_without_factor

THEMES = ("light", "dark")
COOKIE = f"{settings.COOKIE_PREFIX}theme"


def chosen(request: HttpRequest) -> dict[str, str]:
    """For every page: `theme` is "light", "dark" or empty."""
    theme = request.COOKIES.get(COOKIE, "")
    return {"theme": theme if theme in THEMES else ""}


# Like the choice of language: without a CSRF token, so that no page needs a cookie for it. Another site can
# change no more than the colours.
@csrf_exempt
@open_without_factor
@posted_from("home")
def choose(request: HttpRequest) -> HttpResponse:
    """Keep the theme in a cookie, or delete the cookie for any other word, and go back to the page."""
    answer = HttpResponseRedirect(_back(request))
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        answer.set_cookie(
            COOKIE,
            theme,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    else:
        answer.delete_cookie(COOKIE, samesite="Lax")
    return answer


def _back(request: HttpRequest) -> str:
    page = request.POST.get("next", "")
    return page if leads_here(request, page) else reverse("home")
