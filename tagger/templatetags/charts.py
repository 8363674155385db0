"""Charts as SVG, each with its numbers as a table. Pages give plain numbers; tagger/charts places them.

A page that uses one loads static/css/charts.css. `name` is unique on its page. `links` are addresses of what
is behind each row, bin or cell; its name or number in the table leads there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import get_language_bidi

from tagger.charts.bars import bars
from tagger.charts.heat_map import levels
from tagger.charts.histogram import histogram as placed_histogram
from tagger.charts.lines import Point, Series, line_plot
from tagger.charts.scales import Scale

register = template.Library()

MOST_POINTS = 31  # of a line; more would hide it


@register.inclusion_tag("charts/bars.html")
def bar_chart(
    name: str,
    title: str,
    rows: Sequence[Sequence[Any]],
    of: str,
    value: str,
    unit: str = "",
    end: float | None = None,
    links: Sequence[str] = (),
) -> dict[str, Any]:
    """One bar a row, (label, value) or (label, value, low, high). `of` and `value` name the two columns."""
    intervals = [(row[2], row[3]) if len(row) == 4 else None for row in rows]
    drawn = bars([row[1] for row in rows], intervals, end=end, mirrored=get_language_bidi())
    shown = [
        {
            "label": row[0],
            "bar": bar,
            "value": _written(row[1], unit=unit),
            "interval": " – ".join(_written(each, unit=unit) for each in interval) if interval else "",
            "link": link,
        }
        for row, bar, interval, link in zip(rows, drawn, intervals, _each(links, rows), strict=True)
    ]
    return {"id": f"chart-{name}", "title": title, "of": of, "value": value, "rows": shown}


@register.inclusion_tag("charts/lines.html")
def line_chart(
    name: str,
    title: str,
    about: str,
    labels: Sequence[Any],
    series: Sequence[Mapping[str, Any]],
    of: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
) -> dict[str, Any]:
    """Each series has a `name` and `values`, and may have `lows` and `highs`. `about` says what one sees."""
    is_mirrored = get_language_bidi()
    given = [Series(each["values"], each.get("lows", ()), each.get("highs", ())) for each in series]
    plot = line_plot(given, low=low, high=high, mirrored=is_mirrored)
    lines = [
        {
            "number": number,
            "name": each["name"],
            "pieces": [_corners(piece) for piece in line.pieces],
            "bands": [_corners(band) for band in line.bands],
            "points": line.points if len(labels) <= MOST_POINTS else [],
        }
        for number, (each, line) in enumerate(zip(series, plot.lines, strict=True), 1)
    ]
    rows = [
        {"label": label, "cells": [_cell(one, at, unit) for one in given]} for at, label in enumerate(labels)
    ]
    xs = [{"place": each, "text": labels[each.index]} for each in plot.labels]
    about_all = {"id": f"chart-{name}", "title": title, "about": about, "of": of}
    return about_all | _axis(plot.scale, unit, is_mirrored) | {"lines": lines, "rows": rows, "xs": xs}


@register.inclusion_tag("charts/histogram.html")
def histogram(
    name: str,
    title: str,
    about: str,
    edges: Sequence[float],
    counts: Sequence[int],
    of: str,
    value: str,
    mark: float | None = None,
    marks: str = "",
    links: Sequence[str] = (),
) -> dict[str, Any]:
    """`of` says what the edges are, `value` what is counted; `marks` explains the line at `mark`."""
    is_mirrored = get_language_bidi()
    plot = placed_histogram(edges, counts, mark=mark, mirrored=is_mirrored)
    rows = [
        {"label": f"{_written(left)} – {_written(right)}", "count": _written(number), "link": link}
        for left, right, number, link in zip(edges, edges[1:], counts, _each(links, counts), strict=False)
    ]
    xs = [{"place": each, "text": _written(each.value, plot.decimals)} for each in plot.ticks]
    about_all = {"id": f"chart-{name}", "title": title, "about": about, "of": of, "value": value}
    drawn = {"bins": plot.bins, "mark": plot.mark, "marks": marks, "rows": rows, "xs": xs}
    return about_all | _axis(plot.scale, "", is_mirrored) | drawn


@register.inclusion_tag("charts/heat_map.html")
def heat_map(
    name: str,
    title: str,
    columns: Sequence[Any],
    rows: Sequence[tuple[Any, Sequence[float | None]]],
    corner: str,
    unit: str = "",
    end: float | None = None,
    links: Sequence[Sequence[str]] = (),
) -> dict[str, Any]:
    """A table with larger values in stronger colours. `corner` says what its rows and columns are."""
    coloured = levels([values for _, values in rows], end)
    shown = [
        {
            "label": label,
            "cells": [
                {"text": "" if value is None else _written(value, unit=unit), "level": level, "link": link}
                for value, level, link in zip(values, levels_of_row, _each(addresses, values), strict=True)
            ],
        }
        for (label, values), levels_of_row, addresses in zip(
            rows, coloured, links or [()] * len(rows), strict=True
        )
    ]
    return {"id": f"chart-{name}", "title": title, "columns": columns, "rows": shown, "corner": corner}


def _axis(scale: Scale, unit: str, is_mirrored: bool) -> dict[str, Any]:
    """The ticks beside the drawing, and room for the longest of them."""
    ticks = [
        {"y": round(100 - scale.place(each), 2), "text": _written(each, scale.decimals, unit)}
        for each in scale.ticks
    ]
    room = round(0.6 * max(len(str(each["text"])) for each in ticks) + 0.4, 1)
    return {"ticks": ticks, "room": f"{room}em", "axis_x": "0%" if is_mirrored else "100%"}


def _cell(one: Series, at: int, unit: str) -> dict[str, str]:
    value = one.values[at]
    low, high = (ends[at] if ends else None for ends in (one.lows, one.highs))
    has_both = low is not None and high is not None
    return {
        "value": "" if value is None else _written(value, unit=unit),
        "interval": f"{_written(low, unit=unit)} – {_written(high, unit=unit)}" if has_both else "",
    }


def _each(links: Sequence[str], of: Sequence[Any]) -> Sequence[str]:
    return links or [""] * len(of)


def _corners(points: Sequence[Point]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _written(value: float | None, decimals: int | None = None, unit: str = "") -> str:
    """As the reader's language writes it: whole numbers without decimals, others with two of them."""
    places = decimals if decimals is not None else 0 if float(value or 0).is_integer() else 2
    number = number_format(value or 0, places, use_l10n=True, force_grouping=True)
    return f"{number}\N{NO-BREAK SPACE}{unit}" if unit else number
