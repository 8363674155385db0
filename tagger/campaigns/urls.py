from django.urls import path

from . import api, views

urlpatterns = [
    path("tag/", views.campaigns, name="campaigns"),
    path("my-languages/", views.choose_languages, name="choose_languages"),
    path("api/v1/campaigns/", api.Campaigns.as_view()),
]
