"""All addresses of the site: the ones called most come first, then each room's."""

from allauth.account.views import logout
from django.conf import settings
from django.contrib import admin
from django.http import Http404
from django.urls import include, path, re_path
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView

from accounts.browser_data import logs_out
from accounts.caching import public_document
from accounts.posting import posted_from
from accounts.roles import open_without_factor

from . import probes, theme, well_known
from .desk.urls import hot

# allauth's pages for e-mail addresses would store them unencrypted; and a site that sends no mail cannot
# offer to reset a password by mail.
not_offered = [
    re_path(f"^accounts/{page}/", defaults.page_not_found, {"exception": Http404("not offered here")})
    for page in ("email", "confirm-email", *([] if settings.SENDS_MAIL else ["password/reset"]))
]

urlpatterns = [
    *hot,
    path("", include("tagger.welcome.urls")),
    path("", include("tagger.campaigns.urls")),
    path("", include("tagger.figures.urls")),
    path("", include("tagger.explorer.urls")),
    path("", include("tagger.desk.urls")),
    path("", include("tagger.progress.urls")),
    path("", include("tagger.review.urls")),
    path("", include("tagger.privacy.urls")),
    path("", include("tagger.imports.urls")),
    path("", include("tagger.webhooks.urls")),
    path("", include("tagger.operators.urls")),
    path("", include("tagger.offline.urls")),
    path("", include("datasets.urls")),
    path("", include("accounts.urls")),
    path("", include("tagger.styleguide.urls")),
    *not_offered,
    path("accounts/logout/", logs_out(logout), name="account_logout"),
    path("accounts/", include("allauth.urls")),
    path("admin/logout/", open_without_factor(posted_from("account_logout")(logs_out(admin.site.logout)))),
    path("admin/", admin.site.urls),
    # A CSRF token would set a cookie on every page. Without one, another site can change no more than the
    # language.
    path("language/", csrf_exempt(open_without_factor(set_language)), name="set_language"),
    path("theme/", theme.choose, name="theme"),
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("robots.txt", well_known.robots_txt),
    path(".well-known/security.txt", well_known.security_txt),
    path("api/v1/schema/", public_document(SpectacularAPIView.as_view()), name="schema"),
]

handler400 = "tagger.refused_requests.bad_request"
handler404 = "tagger.refused_requests.not_found"
