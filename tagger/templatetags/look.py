"""What pages draw: icons of the set in static/img/icons.svg, and waves."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon beside words that say the same; screen readers skip it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("img/icons.svg"),
        name,
    )


@register.inclusion_tag("wave.svg")
def wave(heights: Sequence[float], done: float = 0, kind: str = "") -> dict[str, Any]:
    """Bars with round ends, of heights 0 to 100. The share `done` of them is marked, or all with a `kind`."""
    until = round(done * len(heights))
    bars = [
        {"x": 10 * n, "y": f"{50 - tall / 2:.1f}", "height": f"{tall:.1f}", "is_done": n < until}
        for n, tall in enumerate(max(each, 6) for each in heights)
    ]
    return {"bars": bars, "width": 10 * len(bars) - 4, "kind": kind}
