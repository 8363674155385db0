"""What an audit event says, in words. Its details are numbers, codes and old and new values; never names."""

from collections.abc import Iterator
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .models import AuditEvent


def sentences(event: AuditEvent) -> list[str]:
    """One for each detail, in the reader's language."""
    return [said for name, value in event.details.items() for said in _said(name, value)]


def _said(name: str, value: Any) -> Iterator[str]:
    if name == "people":
        numbers = ", ".join(map(str, value))
        yield ngettext("person %(numbers)s", "people %(numbers)s", len(value)) % {"numbers": numbers}
    elif name == "count":
        yield ngettext("%(count)d time", "%(count)d times", value) % {"count": value}
    elif name == "seconds":
        yield _("%(seconds)s s") % {"seconds": number_format(value, 1)}
    elif name == "changed":
        for field, (old, new) in value.items():
            yield _("%(field)s: %(old)s → %(new)s") % {
                "field": field.replace("_", " "),
                "old": _value(old),
                "new": _value(new),
            }
    else:
        yield f"{name.replace('_', ' ')}: {_value(value)}"


def _value(value: Any) -> str:
    if value in (None, "", []):
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict) and "sha256" in value:
        return _("%(number)d characters (SHA-256 %(hash)s…)") % {
            "number": value["characters"],
            "hash": value["sha256"][:12],
        }
    return str(value)
