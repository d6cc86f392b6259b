"""Names and numbers as every section writes them."""

from __future__ import annotations

from genomepath.ml.bootstrap import Estimate
from genomepath.ml.performance_targets import estimate_text
from genomepath.ml.report import PROTOCOL_TITLES, WAYS
from genomepath.ml.results import ProtocolResult, ScorerResult


def percent(value: float | None) -> str:
    """A share in percent, without an interval."""
    return "not measured" if value is None else f"{100 * value:.1f}"


def difference_text(estimate: Estimate) -> str:
    """A difference in percentage points with its interval and sign."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not measured"
    return f"{100 * estimate.value:+.1f} [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"


def ordered_scorers(result: ProtocolResult, subject: str) -> list[tuple[str, ScorerResult]]:
    """(Name as printed, result): the subject first, the baselines, the oracle last."""
    order = sorted(result.scorers, key=lambda name: (result.scorers[name].oracle, name != subject))
    return [
        (
            f"{name.removesuffix(' (oracle)')} (oracle, not compared)" if result.scorers[name].oracle else name,
            result.scorers[name],
        )
        for name in order
    ]


__all__ = ["PROTOCOL_TITLES", "WAYS", "difference_text", "estimate_text", "ordered_scorers", "percent"]
