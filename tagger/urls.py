from django.conf import settings
from django.contrib import admin
from django.http import Http404
from django.urls import include, path, re_path
from django.views import defaults
from drf_spectacular.views import SpectacularAPIView

from . import api, probes, views

# A page that would promise a mail must not be there where none is sent.
without_mail = [
    re_path(
        r"^accounts/(?:email|confirm-email|password/reset)/",
        defaults.page_not_found,
        {"exception": Http404("this site sends no mail")},
    )
]

urlpatterns = [
    path("", views.home, name="home"),
    path("tag/", views.campaigns, name="campaigns"),
    path("tag/<slug:slug>/", views.tag, name="tag"),
    path("assignments/<int:pk>/answer/", views.hand_in, name="hand_in"),
    path("assignments/<int:pk>/skip/", views.skip, name="skip"),
    path("review/", views.review, name="review"),
    path("review/disputes/<int:pk>/", views.decide, name="decide"),
    path("review/disputes/<int:pk>/audio/", views.dispute_audio, name="dispute_audio"),
    path("review/clips/<int:pk>/audio/", views.report_audio, name="report_audio"),
    path("review/clips/<int:pk>/show-again/", views.show_again, name="show_again"),
    path("profile/", include("accounts.urls")),
    *([] if settings.SENDS_MAIL else without_mail),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/campaigns/", api.Campaigns.as_view()),
    path("api/v1/campaigns/<slug:slug>/assignments/", api.Lend.as_view()),
    path("api/v1/assignments/<int:pk>/audio/", api.Audio.as_view(), name="assignment_audio"),
    path("api/v1/assignments/<int:pk>/annotation/", api.HandIn.as_view()),
    path("api/v1/assignments/<int:pk>/skip/", api.Skip.as_view()),
    path("api/v1/assignments/<int:pk>/report/", api.Report.as_view()),
    path("api/v1/annotations/<int:pk>/", api.Change.as_view()),
]
