from django.urls import path

from . import views

urlpatterns = [
    path("", views.choose, name="record"),
    path("<slug:slug>/", views.record, name="record_campaign"),
    path("<slug:slug>/freely/", views.speak_freely, name="speak_freely"),
]
