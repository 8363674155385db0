from django.urls import path

from . import api, views

urlpatterns = [
    path("", views.home, name="home"),
    path("api/v1/pledge/", api.Pledge.as_view(), name="api_pledge"),
    path("try/", views.try_it, name="try_it"),
    path("first-minute/", views.first_minute, name="first_minute"),
    path("first-minute/practice/", views.practice_clip, name="practice"),
    path("first-minute/ready/", views.ready, name="ready"),
]
