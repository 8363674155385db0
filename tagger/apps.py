from importlib import import_module

from django.apps import AppConfig


class TaggerConfig(AppConfig):
    name = "tagger"
    verbose_name = "How it gets agreed"

    def ready(self) -> None:
        import_module("tagger.operators.checks")  # registers them; they ask the models of all apps
