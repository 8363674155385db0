from django.urls import include, path

from . import (
    views,
    views_audit,
    views_consent,
    views_devices,
    views_email,
    views_receipts,
    views_sessions,
)

urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("profile/consent/", views_consent.consent, name="consent"),
    path("profile/consent/give/", views_consent.give, name="give_consent"),
    path("profile/consent/disguise/", views_consent.disguise, name="disguise"),
    path("profile/receipts/<uuid:receipt_id>/", views_consent.receipt, name="receipt"),
    path("profile/devices/", views_devices.devices, name="devices"),
    path("profile/devices/<uuid:uuid>/revoke/", views_devices.revoke, name="revoke_device"),
    path("profile/devices/<uuid:uuid>/remove/", views_devices.remove, name="remove_device"),
    path("profile/tokens/", views.make_token, name="make_token"),
    path("profile/tokens/<str:digest>/revoke/", views.revoke_token, name="revoke_token"),
    path("profile/email/", views_email.email, name="email"),
    path("profile/sessions/", views_sessions.sessions, name="sessions"),
    path("profile/sessions/end-others/", views_sessions.end_others, name="end_other_sessions"),
    path("profile/sessions/<str:name>/end/", views_sessions.end, name="end_session"),
    path("audit/", views_audit.record, name="audit"),
    path("audit/check/", views_audit.check, name="check_audit"),
    path("audit/record.jsonl", views_audit.lines, name="audit_lines"),
    path("accounts/2fa/", include("accounts.factors.urls")),
    path("receipts/", views_receipts.check_receipt, name="check_receipt"),
    path("receipts/key/", views_receipts.signing_key, name="signing_key"),
]
