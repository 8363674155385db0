"""What pages draw: icons of the set in static/img/icons.svg, and waves."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon beside words that say the same; screen readers skip it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("img/icons.svg"),
        name,
    )


@register.filter
def time_span(seconds: float) -> str:
    """
    >>> time_span(9.6), time_span(1500), time_span(9000), time_span(360_000)
    ('10 s', '25 min', '2.5 h', '100 h')
    """
    if seconds < 60:
        return _("%(number)s s") % {"number": number_format(round(seconds))}
    if seconds < 3600:
        return _("%(number)s min") % {"number": number_format(round(seconds / 60))}
    hours = seconds / 3600
    return _("%(number)s h") % {"number": number_format(hours, 1 if hours < 10 else 0)}


@register.inclusion_tag("wave.svg")
def wave(heights: Sequence[float], done: float = 0, kind: str = "") -> dict[str, Any]:
    """Bars with round ends, of heights 0 to 100. The share `done` of them is marked, or all with a `kind`."""
    until = round(done * len(heights))
    bars = [
        {"x": 10 * n, "y": f"{50 - tall / 2:.1f}", "height": f"{tall:.1f}", "is_done": n < until}
        for n, tall in enumerate(max(each, 6) for each in heights)
    ]
    return {"bars": bars, "width": 10 * len(bars) - 4, "kind": kind}
