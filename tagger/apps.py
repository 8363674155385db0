from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TaggerConfig(AppConfig):
    name = "tagger"
    verbose_name = _("How answers are agreed on")

    def ready(self) -> None:
        import_module("tagger.operators.checks")  # registers them; they ask the models of all apps
