from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("first-minute/", views.first_minute, name="first_minute"),
    path("first-minute/practice/", views.practice_clip, name="practice"),
    path("first-minute/ready/", views.ready, name="ready"),
]
