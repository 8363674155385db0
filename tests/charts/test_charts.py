"""Where the shapes of charts lie, with places worked out by hand, and what the drawn page says."""

import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from tagger.charts.bars import Bar, bars
from tagger.charts.heat_map import levels
from tagger.charts.histogram import Bin, count_between, histogram
from tagger.charts.lines import Series, line_plot
from tagger.charts.scales import nice
from tagger.styleguide import colours
from tests.support.mutants import mutant

SHEET = Path(__file__).resolve().parents[2] / "static/css/charts.css"


# --- axes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (0, 100, (0, 20, 40, 60, 80, 100)),
        (0, 7, (0, 2, 4, 6, 8)),
        (0.6, 0.85, (0.6, 0.65, 0.7, 0.75, 0.8, 0.85)),
        (-3, 4, (-4, -2, 0, 2, 4)),
        (0, 10_000_000, (0, 2e6, 4e6, 6e6, 8e6, 1e7)),
        (0, 0, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (0.1, 0.3, (0.1, 0.15, 0.2, 0.25, 0.3)),
    ],
)
def test_an_axis_has_round_ticks(low, high, ticks):
    assert nice(low, high).ticks == ticks


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(3, 9))
def test_an_axis_holds_both_ends_in_so_few_ticks_evenly(low, span, most):
    ticks = nice(low, low + span, most).ticks
    assert ticks[0] <= low and low + span <= ticks[-1]
    assert 2 <= len(ticks) <= most and list(ticks) == sorted(set(ticks))


def test_an_axis_says_how_many_decimals_write_its_ticks():
    assert [nice(0, end).decimals for end in (0.002, 0.8, 4, 1000)] == [4, 1, 0, 0]


@pytest.mark.parametrize("wrong", [(2, 1, 6), (0, 1, 2)])
def test_an_axis_runs_upwards_with_three_ticks_or_more(wrong):
    with pytest.raises(ValueError, match="axis"):
        nice(*wrong)


# --- shapes -------------------------------------------------------------------------------------


def test_bars_are_as_long_as_their_values():
    # The axis ends at 2000, so 1840 is 92 %.
    assert [bar.width for bar in bars([1840, 412, 967, 0])] == [92, 20.6, 48.35, 0]
    assert bars([0, 0]) == [Bar(0, 0), Bar(0, 0)]
    assert bars([]) == []


def test_bars_begin_on_the_right_where_people_read_from_there():
    assert bars([25], [(20, 30)], end=100, mirrored=True) == [Bar(75, 25, (80, 70))]


def test_no_bar_leaves_its_room_and_none_begins_below_zero():
    assert bars([120], end=100)[0].width == 100
    with pytest.raises(ValueError, match="begin at zero"):
        bars([5], [(-1, 8)])


def test_a_line_is_broken_where_a_value_is_missing():
    # Axis from 0 to 10; five points, so 25 % between two of them.
    series = Series([0, 5, None, None, 10], [0, 2, None, 1, 9], [1, 8, None, None, 10])
    plot = line_plot([series])
    assert plot.scale.ticks == (0, 2, 4, 6, 8, 10)
    assert plot.lines[0].pieces == (((0, 100), (25, 50)), ((100, 0),))
    assert plot.lines[0].bands == (((0, 90), (25, 20), (25, 80), (0, 100)), ((100, 0), (100, 10)))
    assert plot.lines[0].points == [(0, 100), (25, 50), (100, 0)]


def test_a_line_runs_leftwards_where_people_read_so():
    assert line_plot([Series([0, 10])], mirrored=True).lines[0].pieces == (((100, 100), (0, 0)),)


def test_a_single_point_lies_in_the_middle_and_no_point_is_no_line():
    assert line_plot([Series([3])]).lines[0].pieces == (((50, 50),),)
    assert line_plot([Series([])]).lines[0].pieces == ()
    assert line_plot([Series([None, None])]).lines[0].pieces == ()


def test_few_points_are_named_and_the_outer_names_stay_inside():
    named = [(each.index, each.anchor, each.is_minor) for each in line_plot([Series([1] * 13)]).labels]
    assert [index for index, _, _ in named] == [0, 2, 4, 6, 8, 10, 12]
    assert named[0] == (0, "start", False) and named[-1] == (12, "end", False)
    assert named[1] == (2, "middle", True)


def test_lines_that_cannot_be_told_apart_or_do_not_match_are_refused():
    with pytest.raises(ValueError, match="one to 3"):
        line_plot([Series([1])] * 4)
    with pytest.raises(ValueError, match="same points"):
        line_plot([Series([1, 2]), Series([1])])


def test_a_histogram_has_a_bar_between_each_two_edges():
    # The axis of counts ends at 8; 0.75 of the way from 0 to 4 is 3.
    plot = histogram([0, 1, 4], [8, 2], mark=3)
    assert plot.bins == (Bin(0, 0, 25, 100), Bin(25, 75, 75, 25))
    assert plot.mark == 75
    assert [(tick.value, tick.x) for tick in plot.ticks] == [(0, 0), (1, 25), (2, 50), (3, 75), (4, 100)]
    mirrored = histogram([0, 1, 4], [8, 2], mark=3, mirrored=True)
    assert (mirrored.bins[0].x, mirrored.mark) == (75, 25)


@pytest.mark.parametrize(("edges", "counts"), [([0, 1], [1, 2]), ([1, 0], [1]), ([0], []), ([0, 0], [1])])
def test_edges_that_make_no_histogram_are_refused(edges, counts):
    with pytest.raises(ValueError, match="ascending"):
        histogram(edges, counts)


def test_every_value_within_the_edges_is_counted_once():
    assert count_between([0.5, 0.55, 0.6, 1, 1.01, 0.49], [0.5, 0.6, 1]) == [2, 2]


def test_a_heat_map_has_few_levels():
    assert levels([[0, 0.01, 0.5], [0.51, 1, 1.2]], end=1) == [[0, 1, 3], [4, 6, 6]]
    assert levels([[0.7, 0.1]], end=0.6) == [[6, 1]]
    assert levels([[0, 0]]) == [[0, 0]]


# --- what is drawn ------------------------------------------------------------------------------


def drawn(tag, language="en", **context):
    with translation.override(language):
        return Template("{% load charts %}" + tag).render(Context({"end": None} | context))


BAR = '{% bar_chart "b" "Clips" rows "Answer" "Clips" end=end %}'
LINE = '{% line_chart "a" "Agreement" "It rises." labels series "Month" %}'


@mutant(
    "whoever cannot see a chart reads its numbers",
    "templates/charts/lines.html",
    kept_by='<td class="number">{{ cell.value|default:"–" }}',
    broken='<td class="number">',
)
def test_a_line_says_what_it_shows_and_has_its_numbers_as_a_table():
    series = [{"name": "Alpha", "values": [0.5, None], "lows": [0.25, None], "highs": [0.75, None]}]
    page = drawn(LINE, labels=["May", "June"], series=series)
    assert '<title id="chart-a-title">Agreement</title>' in page and ">It rises.</desc>" in page
    rows = re.findall(r'<th scope="row">(\w+)</th><td class="number">(.*?)</td>', page)
    assert rows == [
        ("May", '0.50 <span class="soft small">(0.25 – 0.75)</span>'),
        ("June", "–"),
    ]


def test_what_is_behind_a_bar_a_bin_or_a_cell_is_a_link():
    page = drawn(
        '{% bar_chart "b" "Clips" rows "Answer" "Clips" links=links %}',
        rows=[("Yes", 3), ("No", 1)],
        links=["/clips/?answer=yes", ""],
    )
    assert '<th scope="row"><a href="/clips/?answer=yes">Yes</a></th>' in page
    assert '<th scope="row">No</th>' in page
    page = drawn(
        '{% histogram "h" "Length" "Most are short." edges counts "s" "Clips" links=links %}',
        edges=[0, 1, 2],
        counts=[3, 1],
        links=["/clips/?to=1", "/clips/?from=1&to=2"],
    )
    assert '<a href="/clips/?from=1&amp;to=2">1</a>' in page
    page = drawn(
        '{% heat_map "m" "Confusion" columns rows "Said" links=links %}',
        columns=["Yes", "No"],
        rows=[("Yes", [3, None])],
        links=[["/clips/?yes", "/clips/?no"]],
    )
    assert '<a href="/clips/?yes">3</a>' in page and "/clips/?no" not in page


def test_a_long_line_has_no_points_which_would_hide_it():
    def points(number):
        labels, values = list(range(number)), [1] * number
        return drawn(LINE, labels=labels, series=[{"name": "Alpha", "values": values}]).count("<circle")

    assert (points(31), points(32)) == (31, 0)


def test_numbers_are_written_as_readers_write_them_and_places_as_browsers_read_them():
    page = drawn(BAR, "de", rows=[("Ja", 1234.5), ("Nein", 1)])
    assert "1.234,50" in page
    assert 'width="98.76%"' in page  # of 1250
    assert not re.search(r'"[^"]*\d,\d+%"', page)


def test_every_chart_is_mirrored_on_pages_from_right_to_left():
    rises = {"labels": ["May", "June"], "series": [{"name": "Alpha", "values": [0, 10]}]}
    assert 'points="0.0,100.0 100.0,0.0"' in drawn(LINE, **rises)
    assert 'points="100.0,100.0 0.0,0.0"' in drawn(LINE, "ar", **rises)
    assert 'x="75.0%" width="25.0%"' in drawn(BAR, "ar", rows=[("a", 1)], end=4)
    bins = '{% histogram "h" "C" "About" edges counts "C" "Clips" mark=1 marks="asked" %}'
    assert 'x="0.0%" y="0.0%" width="50.0%"' in drawn(bins, "ar", edges=[0, 1, 2], counts=[1, 2])


def test_no_chart_has_an_inline_style():
    """Our policy forbids them, so they would do nothing."""
    heat = '{% heat_map "m" "Confusion" columns rows "Said / answered" %}'
    line = drawn(LINE, labels=["May"], series=[{"name": "Alpha", "values": [1]}])
    assert "style=" not in line + drawn(heat, columns=["Yes"], rows=[("Yes", [1])])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_on_every_level_of_a_heat_map_have_enough_contrast(theme):
    named = colours.themes()[theme]
    strengths = dict(re.findall(r"level-(\d) svg { fill-opacity: ([\d.]+); }", SHEET.read_text()))
    assert len(strengths) == 6
    for level, strength in strengths.items():
        word = named["on-accent"] if int(level) >= 5 else named["ink"]
        for ground in ("paper", "surface"):
            mixed = mix(named[ground], named["accent"], float(strength))
            assert colours.contrast(word, mixed) >= 4.5, (level, ground)


def mix(ground, colour, strength):
    channels = [[int(each[at : at + 2], 16) for at in (1, 3, 5)] for each in (ground, colour)]
    return "#" + "".join(f"{round(a + (b - a) * strength):02x}" for a, b in zip(*channels, strict=True))
