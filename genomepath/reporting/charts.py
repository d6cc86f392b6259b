"""Drawings as SVG: lines over epochs, reliability diagrams, numbers with their intervals. Colours are classes of the page.

Every drawing carries a title and a description, and its texts are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10, sqrt

from genomepath.ml.metrics import ReliabilityBin

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 16, 40


@dataclass(frozen=True)
class Line:
    """A named series of (x, y) points in ascending x."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Interval:
    """A number with its interval; ``marked`` for the one that is judged."""

    name: str
    value: float
    low: float
    high: float
    marked: bool = False


@dataclass(frozen=True)
class _Scale:
    """A linear map from the values of an axis to lengths in the drawing."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        span = self.high - self.low or 1.0
        return round(self.start + (value - self.low) / span * (self.end - self.start), 1)


def line_chart(title: str, description: str, lines: Sequence[Line], *, x_name: str, guide: float | None = None) -> str:
    """Up to three lines on one scale from zero; ``guide`` draws a vertical line at an x."""
    width, height = 480, 250
    xs = [x for line in lines for x, _ in line.points]
    top = nice_ceiling(max((y for line in lines for _, y in line.points), default=1.0))
    across = _Scale(min(xs, default=0.0), max(xs, default=1.0), _LEFT, width - _RIGHT)
    up = _Scale(0.0, top, height - _BOTTOM, _TOP + 20)
    parts = [_horizontal(up, top * share, width - _RIGHT, f"{top * share:.6g}") for share in (0, 0.25, 0.5, 0.75, 1)]
    parts += [_below(across.at(x), height, f"{x:g}") for x in sorted({across.low, across.high, *_middle(xs)})]
    if guide is not None:
        parts.append(_segment("guide", across.at(guide), _TOP + 20, across.at(guide), height - _BOTTOM))
    for number, line in enumerate(lines):
        path = " ".join(f"{across.at(x)},{up.at(y)}" for x, y in line.points)
        parts.append(f'<polyline class="series s{number}" points="{path}"/>')
        parts.append(_segment(f"series s{number}", _LEFT + 130 * number, 12, _LEFT + 130 * number + 26, 12))
        parts.append(_label(_LEFT + 130 * number + 32, 16, line.name))
    parts.append(_label((_LEFT + width) / 2, height - 6, x_name, anchor="middle"))
    return _drawing(title, description, width, height, parts)


def nice_ceiling(value: float) -> float:
    """The smallest number that is no smaller than the value and whose quarters are round; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if factor * power >= value * (1 - 1e-9))


def reliability_chart(title: str, description: str, bins: Sequence[ReliabilityBin]) -> str:
    """Observed rate over mean confidence; on the dotted diagonal a confidence is a probability."""
    size = 340
    across, up = _Scale(0.0, 1.0, _LEFT, size - _RIGHT), _Scale(0.0, 1.0, size - _BOTTOM, _TOP + 12)
    parts = [_horizontal(up, share, size - _RIGHT, f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1)]
    parts += [_below(across.at(share), size, f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1)]
    parts.append(_segment("guide", across.at(0), up.at(0), across.at(1), up.at(1)))
    path = " ".join(f"{across.at(cell.mean_probability)},{up.at(cell.observed_rate)}" for cell in bins)
    parts.append(f'<polyline class="series s0" points="{path}"/>')
    most = max((cell.count for cell in bins), default=1)
    for cell in bins:
        radius = round(3 + 4 * sqrt(cell.count / most), 1)
        place = f'cx="{across.at(cell.mean_probability)}" cy="{up.at(cell.observed_rate)}"'
        parts.append(f'<circle class="dot d0" {place} r="{radius}"/>')
    parts.append(_label((_LEFT + size) / 2, size - 6, "mean confidence", anchor="middle"))
    parts.append(_label(8, 11, "observed rate"))
    return _drawing(title, description, size, size, parts, kind="square")


def interval_chart(
    title: str,
    description: str,
    rows: Sequence[Interval],
    *,
    chance: float,
    lowest: float = 0.0,
    highest: float = 100.0,
) -> str:
    """A dot with its interval a row, from ``lowest`` to ``highest``; a dotted line where chance stands, if it lies there."""
    width, step, left = 440, 34, 16
    height = _TOP + step * len(rows) + _BOTTOM
    across = _Scale(lowest, highest, left, width - _RIGHT)
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        value = lowest + (highest - lowest) * share
        x = across.at(value)
        parts += [_segment("grid", x, _TOP, x, height - _BOTTOM), _below(x, height, f"{value:g}")]
    note = f"percent; chance: {chance:.1f}"
    if lowest <= chance <= highest:
        parts.append(_segment("guide", across.at(chance), _TOP, across.at(chance), height - _BOTTOM))
        note = f"percent; dotted line: chance, {chance:.1f}"
    for number, row in enumerate(rows):
        y, kind = _TOP + step * number + 24, 0 if row.marked else 1
        parts.append(_label(left + 4, y - 9, f"{row.name} {row.value:.1f}"))
        parts.append(_segment(f"bar b{kind}", across.at(row.low), y, across.at(row.high), y))
        parts.append(f'<circle class="dot d{kind}" cx="{across.at(row.value)}" cy="{y}" r="5"/>')
    parts.append(_label((left + width) / 2, height - 6, note, anchor="middle"))
    return _drawing(title, description, width, height, parts)


def _drawing(title: str, description: str, width: int, height: int, parts: Sequence[str], *, kind: str = "wide") -> str:
    return (
        f'<svg class="{kind}" role="img" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{''.join(parts)}</svg>"
    )


def _horizontal(up: _Scale, value: float, right: float, text: str) -> str:
    y = up.at(value)
    return _segment("grid", _LEFT, y, right, y) + _label(_LEFT - 6, y + 4, text, anchor="end")


def _below(x: float, height: float, text: str) -> str:
    return _label(x, height - _BOTTOM + 16, text, anchor="middle")


def _segment(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'


def _label(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _middle(values: Sequence[float]) -> list[float]:
    """Every tenth x, apart enough from both ends for its label."""
    ends = (min(values, default=0.0), max(values, default=0.0))
    tenths = [float(x) for x in range(0, int(ends[1]) + 1, 10)]
    return [x for x in tenths if ends[0] < x < ends[1] and ends[1] - x >= 3]
