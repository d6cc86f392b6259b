"""An evaluation's summary as a table: scorers by protocol, the model beside chance and the baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SUBJECT = "model"
_DIRECTIONS = (("tk_to_genomic", "5"), ("genomic_to_tk", "3"))


@dataclass(frozen=True)
class MetricRow:
    """One scorer under one protocol; numbers are percent with their 95% intervals."""

    protocol: str
    scorer: str
    cells: tuple[str, ...]


METRIC_HEADERS = ("TK→G accuracy@5", "TK→G MRR", "G→TK accuracy@3", "G→TK MRR", "Consistency")


def metric_rows(metrics: Mapping[str, Any]) -> list[MetricRow]:
    """The rows of ``ModelVersion.metrics``; empty where the version was not evaluated."""
    return [row for name, result in sorted(metrics.get("protocols", {}).items()) for row in _protocol(name, result)]


@dataclass(frozen=True)
class TargetRow:
    """A target of the model, the number reached, and whether each level is met."""

    name: str
    reached: str
    levels: tuple[str, ...]


def target_rows(metrics: Mapping[str, Any]) -> list[TargetRow]:
    """The targets of the evaluation, met or not met."""
    return [
        TargetRow(
            target["name"],
            target["reached"],
            tuple(_level(*target[level]) for level in ("minimum", "production", "ours")),
        )
        for target in metrics.get("targets", [])
    ]


def _level(threshold: str, met: bool | None) -> str:
    if met is None:
        return threshold
    return f"{threshold}: {'met' if met else 'not met'}"


def _protocol(name: str, result: Mapping[str, Any]) -> Iterator[MetricRow]:
    scorers = result.get("scorers", {})
    for scorer, found in sorted(scorers.items(), key=lambda entry: entry[0] != _SUBJECT):
        cells = []
        for direction, k in _DIRECTIONS:
            row = found.get("directions", {}).get(direction, {})
            cells += [_percent(row.get("accuracy", {}).get(k)), _percent(row.get("mrr"))]
        yield MetricRow(name, scorer, (*cells, _percent(found.get("consistency"))))
    chance = result.get("chance")
    if chance:
        cells = []
        for direction, k in _DIRECTIONS:
            cells += [_share(chance["accuracy"].get(direction, {}).get(k)), _share(chance["mrr"].get(direction))]
        yield MetricRow(name, "chance", (*cells, ""))


def _percent(estimate: Mapping[str, Any] | None) -> str:
    if not estimate or estimate.get("value") is None:
        return "not measured"
    if estimate.get("low") is None or estimate.get("high") is None:
        return _share(estimate["value"])
    return f"{_share(estimate['value'])} [{_share(estimate['low'])}, {_share(estimate['high'])}]"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"
