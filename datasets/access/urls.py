from django.urls import path

from . import api, views

urlpatterns = [
    path("releases/mine/", views.mine, name="my_releases"),
    path("releases/mine/<uuid:pk>/withdraw/", views.withdraw, name="withdraw_from_terms"),
    path("releases/mine/recalls/", views.set_recall_notice, name="set_recall_notice"),
    path("releases/requests/", views.requests, name="access_requests"),
    path("releases/requests/<uuid:pk>/decide/", views.decide, name="decide_access"),
    path("releases/<slug:slug>/downloads/", views.release_downloads, name="release_downloads"),
    path("releases/<slug:slug>/grants/", views.set_grants, name="release_grants"),
    path("api/v1/releases/<slug:slug>/request/", api.AskFor.as_view(), name="release_request"),
]
