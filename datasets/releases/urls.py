from django.urls import path

from . import api, views

urlpatterns = [
    path("releases/", views.releases_page, name="releases"),
    path("releases/<slug:slug>/", views.release_page, name="release_page"),
    path("releases/<slug:slug>/samples/<str:public_id>.wav", views.sample, name="release_sample"),
    path("releases/<slug:slug>/request/", views.ask, name="ask_for_release"),
    path("api/v1/recalls/<slug:release>.json", api.RecallFeed.as_view(), name="recall_feed"),
    path("api/v1/releases/", api.Releases.as_view()),
    path("api/v1/releases/<slug:slug>/", api.OneRelease.as_view(), name="release"),
    path("api/v1/releases/<slug:slug>/manifest.jsonl", api.Manifest.as_view(), name="manifest"),
    path("api/v1/releases/<slug:slug>/<slug:form>.tar", api.Tar.as_view(), name="archive"),
]
