from django.urls import path

from . import device_api, views

urlpatterns = [
    path("record/", views.choose, name="record"),
    path("record/<slug:slug>/", views.record, name="record_campaign"),
    path("record/<slug:slug>/freely/", views.speak_freely, name="speak_freely"),
    path("v1/device/code", device_api.code),
    path("v1/device/activate", device_api.activate),
    path("v1/auth/token", device_api.renew),
    path("v1/device/<uuid:uuid>", device_api.device),
    path("v1/device/<uuid:uuid>/wake-word-file", device_api.wake_word_file),
    path("v1/device/<uuid:uuid>/utterance-file", device_api.utterance_file),
]
