"""`manage.py check --deploy` says what the admin's pages say: see `unset`."""

from typing import Any

from django.core import checks
from django.db import DatabaseError
from django.utils import timezone, translation

from . import unset


@checks.register("operators", deploy=True)
def everything_is_set_up(app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
    """Nothing is said of a database that does not answer or has no tables yet."""
    try:
        with translation.override("en"):
            return [_warning(each) for each in unset.of_setup(timezone.now())]
    except DatabaseError:
        return []


def _warning(missing: unset.Unset) -> checks.CheckMessage:
    sentence = f"{missing.sentence} {missing.detail}".strip()
    how = f"{'Run' if ' ' in missing.setting else 'Set'} {missing.setting}."
    hint = how if missing.setting else f"It is set on the page {missing.page}."
    return checks.Warning(sentence, hint=hint, id=f"tagger.W{unset.NUMBERS[missing.name]:03}")


# What these say is said in other words by `unset`, or is the matter of the web server in front.
SAID_OTHERWISE = {f"security.W{number:03}" for number in (4, 8, 12, 16, 20)} | {"security.W011"}


def others() -> list[checks.CheckMessage]:
    """What `check --deploy` says about safety besides: Django's warnings, in English."""
    found = checks.run_checks(tags=[checks.Tags.security], include_deployment_checks=True)
    return [each for each in found if not each.is_silenced() and each.id not in SAID_OTHERWISE]
