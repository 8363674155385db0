"""allauth's tables without what its app checks at the start: the bare views do not have its middleware."""

from django.apps import AppConfig


class Accounts(AppConfig):
    name = "allauth.account"
    default_auto_field = "django.db.models.AutoField"


class SecondFactors(AppConfig):
    name = "allauth.mfa"
    default_auto_field = "django.db.models.BigAutoField"
