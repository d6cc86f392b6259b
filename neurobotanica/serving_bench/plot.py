"""A bench's series as one SVG: requests a second, and the latencies that the callers saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_ROW, _LEFT, _WIDTH, _TOP = 66, 210, 560, 46
_LATENCIES = (("p50_ms", "#2b6f5c"), ("p95_ms", "#c98a1b"), ("p99_ms", "#a13d2d"))
_STYLE = "text{font:13px sans-serif;fill:#1d2724}.small{font-size:11px;fill:#55615d}"


def series_plot(report: Mapping[str, Any]) -> str:
    """An SVG document; a row a series with its rate, its errors and bars of p50, p95 and p99 in milliseconds."""
    series: Sequence[Mapping[str, Any]] = report["series"]
    longest = max(entry["p99_ms"] for entry in series) or 1.0
    height = _TOP + _ROW * len(series) + 26
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 90}" height="{height}" role="img">',
        f"<title>{escape(_title(report))}</title><style>{_STYLE}</style>",
        f'<rect width="100%" height="100%" fill="#fff"/><text x="12" y="24">{escape(_title(report))}</text>',
    ]
    for number, entry in enumerate(series):
        parts += _row(entry, _TOP + _ROW * number, longest)
    parts.append(f'<text class="small" x="12" y="{height - 8}">Bars: p50, p95 and p99 in milliseconds.</text></svg>')
    return "\n".join(parts) + "\n"


def _title(report: Mapping[str, Any]) -> str:
    machine, load = report["machine"], report["load"]
    return (
        f"{machine['processors']} processors, {load['workers']} server process, {load['connections']} connections, "
        f"fsync {machine['fsync']}, synchronous_commit {machine['synchronous_commit']}"
    )


def _row(entry: Mapping[str, Any], top: float, longest: float) -> list[str]:
    parts = [
        f'<text x="12" y="{top + 24}">{escape(entry["name"].replace("_", " "))}</text>',
        f'<text class="small" x="12" y="{top + 42}">{entry["requests_per_second"]:.0f} a second, '
        f"{entry['errors']} of {entry['requests']} failed</text>",
    ]
    for place, (name, colour) in enumerate(_LATENCIES):
        length, y = max(1.0, entry[name] / longest * _WIDTH), top + 8 + 16 * place
        parts.append(f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="12" fill="{colour}"/>')
        parts.append(f'<text class="small" x="{_LEFT + length + 6:.1f}" y="{y + 10}">{entry[name]:.2f}</text>')
    return parts
