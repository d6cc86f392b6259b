"""Drawings put every number where it belongs, and their texts are no markup."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from genomepath.ml.metrics import ReliabilityBin
from genomepath.reporting.charts import Interval, Line, interval_chart, line_chart, nice_ceiling, reliability_chart

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 (our own drawing)


def circles(svg: str) -> list[tuple[float, ...]]:
    return [
        tuple(float(cell.get(name, "nan")) for name in ("cx", "cy", "r")) for cell in drawn(svg).iter(f"{SVG}circle")
    ]


def points(svg: str, number: int) -> list[tuple[float, ...]]:
    line = drawn(svg).findall(f"{SVG}polyline")[number]
    return [tuple(map(float, point.split(","))) for point in line.get("points", "").split()]


@pytest.mark.parametrize(
    ("value", "top"), [(0.0, 1.0), (0.121, 0.16), (1.0, 1.0), (1.85, 2.0), (7.0, 8.0), (85.0, 100.0)]
)
def test_an_axis_ends_at_the_next_number_with_round_quarters(value, top):
    assert nice_ceiling(value) == pytest.approx(top)


def test_a_bin_with_a_true_confidence_lies_on_the_diagonal_and_an_overconfident_one_below():
    bins = [ReliabilityBin(0.5, 0.5, 10), ReliabilityBin(0.9, 0.4, 10)]

    svg = reliability_chart("title", "words", bins)

    guide = next(line for line in drawn(svg).iter(f"{SVG}line") if line.get("class") == "guide")
    x1, y1, x2, y2 = (float(guide.get(name, "nan")) for name in ("x1", "y1", "x2", "y2"))
    (x, y, _), (far, low, _) = circles(svg)
    assert (x, y) == pytest.approx(((x1 + x2) / 2, (y1 + y2) / 2))
    assert far > x
    assert low > y


def test_a_bin_with_more_candidates_is_a_larger_point():
    small, large = circles(
        reliability_chart("title", "words", [ReliabilityBin(0.1, 0.1, 1), ReliabilityBin(0.9, 0.9, 9)])
    )

    assert large[2] > small[2]


def test_lines_share_one_scale_from_zero():
    svg = line_chart("t", "w", [Line("a", [(1, 1.0), (2, 2.0)]), Line("b", [(1, 2.0), (2, 0.0)])], x_name="epoch")

    (_, one), (_, two) = points(svg, 0)
    (_, also_two), (_, zero) = points(svg, 1)
    assert two == also_two
    assert one == pytest.approx((two + zero) / 2)


def test_one_epoch_can_be_drawn():
    assert len(points(line_chart("t", "w", [Line("a", [(1, 0.5)])], x_name="epoch"), 0)) == 1


def test_an_interval_is_drawn_from_its_lower_to_its_upper_end_around_its_value():
    svg = interval_chart("t", "w", [Interval("model", 50.0, 25.0, 100.0, marked=True)], chance=10.0)

    bar = next(line for line in drawn(svg).iter(f"{SVG}line") if "b0" in line.get("class", ""))
    low, high, (value, _, _) = float(bar.get("x1", "nan")), float(bar.get("x2", "nan")), circles(svg)[0]
    assert (value - low) * 2 == pytest.approx(high - value)


def test_names_and_descriptions_are_escaped():
    svg = interval_chart("<b>", 'a "b" & c', [Interval("<script>", 1.0, 0.0, 2.0)], chance=1.0)

    assert "<script>" not in svg
    assert drawn(svg).findtext(f"{SVG}title") == "<b>"
    assert drawn(svg).findtext(f"{SVG}desc") == 'a "b" & c'


def test_no_colour_is_fixed_so_that_the_page_chooses_light_or_dark():
    svg = line_chart("t", "w", [Line("a", [(1, 1.0), (2, 2.0)])], x_name="epoch", guide=1.0)

    assert not re.search(r"#[0-9a-f]{3}|rgb|fill=|stroke=", svg)
