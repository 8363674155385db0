from django.urls import path

from . import views, views_consent, views_devices

urlpatterns = [
    path("", views.profile, name="profile"),
    path("consent/", views_consent.consent, name="consent"),
    path("consent/give/", views_consent.give, name="give_consent"),
    path("consent/disguise/", views_consent.disguise, name="disguise"),
    path("receipts/<uuid:receipt_id>/", views_consent.receipt, name="receipt"),
    path("devices/", views_devices.devices, name="devices"),
    path("devices/<uuid:uuid>/revoke/", views_devices.revoke, name="revoke_device"),
    path("devices/<uuid:uuid>/remove/", views_devices.remove, name="remove_device"),
    path("tokens/", views.make_token, name="make_token"),
    path("tokens/<str:digest>/revoke/", views.revoke_token, name="revoke_token"),
]
