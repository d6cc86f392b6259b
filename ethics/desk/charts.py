"""Geometry of the desk's charts: from figures to rectangles and marks that a template writes as SVG.

Lengths are in units of the view box. Colours are classes, so that light, dark and print choose their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from ethics.desk.usage import Served

WIDTH, HEIGHT = 480, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 4, 14, 30
_GAP = 0.25
_BAR_HEIGHT, _BAR_STEP = 14, 46


@dataclass(frozen=True)
class Rectangle:
    """A part of a column, or a bar; ``series`` picks the colour, ``title`` says it in words."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True)
class Mark:
    """A label on an axis, at ``x`` or ``y``."""

    at: float
    text: str


@dataclass(frozen=True)
class Columns:
    """Stacked columns over time."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    parts: list[Rectangle]
    values: list[Mark]
    times: list[Mark]


@dataclass(frozen=True)
class Bar:
    """A horizontal bar with its label and figure above it."""

    y: float
    label: str
    times: int
    width: float


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, the longest first."""

    width: int
    height: int
    bar_height: int
    bars: list[Bar]


def served_columns(served: Served) -> Columns:
    """A column for each interval, a part for each community."""
    top = nice_ceiling(max((sum(served.row(start)) for start, _ in served.intervals), default=0))
    plot_height = HEIGHT - _TOP - _BOTTOM
    slot = (WIDTH - _LEFT - _RIGHT) / len(served.intervals)
    parts, times = [], []
    every = ceil(len(served.intervals) / 6)
    for position, (start, end) in enumerate(served.intervals):
        x, base = _LEFT + position * slot, float(HEIGHT - _BOTTOM)
        when = f"{start:%-d %b %Y}" if start == end else f"{start:%-d %b} to {end:%-d %b %Y}"
        for series, (name, count) in enumerate(zip(served.labels, served.row(start), strict=True)):
            height = count / top * plot_height
            base -= height
            if count:
                parts.append(
                    Rectangle(
                        round(x + slot * _GAP / 2, 2), round(base, 2), round(slot * (1 - _GAP), 2), round(height, 2),
                        series, f"{when}, {name}: {count:,}",
                    )
                )  # fmt: skip
        if position % every == 0:
            times.append(Mark(round(x + slot / 2, 2), f"{start:%-d %b}"))
    values = [
        Mark(round(HEIGHT - _BOTTOM - share * plot_height, 2), short_number(round(top * share)))
        for share in (0, 0.5, 1)
    ]
    return Columns(WIDTH, HEIGHT, _LEFT, WIDTH - _RIGHT, HEIGHT - _BOTTOM, parts, values, times)


def refusal_bars(refusals: Sequence[tuple[str, int]]) -> Bars:
    """A bar for each reason."""
    most = max((times for _, times in refusals), default=1)
    bars = [
        Bar(position * _BAR_STEP + 24, reason, times, round(max(times / most * WIDTH, 2), 2))
        for position, (reason, times) in enumerate(refusals)
    ]
    return Bars(WIDTH, len(bars) * _BAR_STEP + 4, _BAR_HEIGHT, bars)


def nice_ceiling(value: int) -> int:
    """The smallest even number with one or two leading digits that is no smaller than the value; 2 for nothing."""
    step = 1
    while True:
        for factor in (2, 4, 6, 8, 10, 12, 16):
            if factor * step >= value:
                return factor * step
        step *= 10


def short_number(value: int) -> str:
    """A figure for an axis: 1,200 as 1.2k."""
    for size, letter in ((10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.1f}".rstrip("0").rstrip(".") + letter
    return str(value)
