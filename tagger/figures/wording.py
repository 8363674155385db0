"""How the page names what is counted."""

from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasets.models import Clip, Label, Task

HIDDEN = _("hidden by reports")

# By their upper end in seconds; the last one has none.
UNTIL_SETTLED: dict[float | None, str | Promise] = {
    60: _("up to 1 minute"),
    600: _("1 to 10 minutes"),
    3_600: _("10 minutes to 1 hour"),
    21_600: _("1 to 6 hours"),
    86_400: _("6 hours to 1 day"),
    259_200: _("1 to 3 days"),
    604_800: _("3 to 7 days"),
    2_592_000: _("7 to 30 days"),
    None: _("more than 30 days"),
}


def status(name: str) -> str:
    return str(HIDDEN if name == "hidden" else Task.Status(name).label)


def answer(name: str) -> str:
    return str(Label(name).label)


def source(name: str) -> str:
    return str(Clip.Source(name).label)


def seconds(row: dict[str, Any]) -> str:
    """A class of lengths."""
    start, end = row["start"], row["end"]
    if end is None:
        return gettext("%(number)s s and more") % {"number": _number(start)}
    return gettext("%(from)s to %(to)s s") % {"from": _number(start), "to": _number(end)}


def clips_each(row: dict[str, Any]) -> str:
    """A class of contributors, by how many clips each has."""
    start, end = row["start"], row["end"]
    if end is None:
        return gettext("%(number)s and more") % {"number": _number(start)}
    if start == end:
        return _number(start)
    return gettext("%(from)s to %(to)s") % {"from": _number(start), "to": _number(end)}


def _number(value: float) -> str:
    return number_format(value, 0, use_l10n=True, force_grouping=True)
