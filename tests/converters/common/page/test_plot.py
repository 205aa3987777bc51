from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from edgeinfer.converters.common.page.axis import Axis, axis_of
from edgeinfer.converters.common.page.plot import (
    HEIGHT,
    WIDTH,
    Bars,
    Line,
    Plot,
    Points,
    Rule,
    draw,
)

UNIT = Axis(low=0.0, high=1.0, title="<share> & 'more'")


def drawn(*layers: Line | Points | Bars | Rule) -> ElementTree.Element:
    plot = Plot(x=UNIT, y=UNIT, layers=layers)
    # That it parses shows that everything in it is escaped.
    return ElementTree.fromstring(draw(plot, 'a "<title>"', "a <desc> \x00 \udcff &"))


def test_a_chart_says_what_it_is_to_those_who_do_not_see_it() -> None:
    svg = drawn()
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == 'a "<title>". a <desc> \\x00 \\udcff &'
    assert [one.text for one in svg if one.tag in ("title", "desc")] == [
        'a "<title>"',
        "a <desc> \\x00 \\udcff &",
    ]


def test_lines_have_gaps_where_values_are_missing() -> None:
    (line,) = drawn(Line(x=[0, 0.2, 0.4, 0.6], y=[0, 0.1, math.nan, 0.3])).findall(
        "path[@class='line c0']"
    )
    assert re.sub(r"[-\d. ]", "", line.get("d") or "") == "MLM"


def test_everything_is_inside_however_far_the_values_are() -> None:
    far = [-1e9, 1e9, math.inf, 0.5]
    svg = drawn(
        Line(x=far, y=far, dots=True),
        Points(x=far, y=far, colour=2),
        Bars(left=[-9.0], right=[9.0], low=[-9.0], high=[9.0]),
        Rule(start=(-5.0, 0.0), end=(5.0, 1.0), text="<rule>"),
    )
    numbers = re.findall(r"(?<![\w#])-?\d+(?:\.\d+)?", ElementTree.tostring(svg, "unicode"))
    assert all(-1 <= float(number) <= max(WIDTH, HEIGHT) for number in numbers)
    dots = [(float(dot.get("cx") or -1), float(dot.get("cy") or -1)) for dot in svg.iter("circle")]
    assert dots
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in dots)


def test_equal_charts_have_equal_text() -> None:
    plot = Plot(x=axis_of([1, 3], "x"), y=UNIT, layers=(Line(x=[1, 3], y=[0, 1]),))
    assert draw(plot, "t", "d") == draw(plot, "t", "d")
