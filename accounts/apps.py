from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from . import checks  # noqa: F401 (registers them)


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and what they agreed to")
