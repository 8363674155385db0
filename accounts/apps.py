from django.apps import AppConfig

from . import checks  # noqa: F401 (registers them)


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Who"
