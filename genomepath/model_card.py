"""What a client may know of the model in service: its origin, its measured quality beside the baselines, its limits."""

from __future__ import annotations

from typing import Any

from genomepath.answers import NOT_MEDICAL_ADVICE, PROVISIONAL
from genomepath.models import ModelVersion
from genomepath.version_in_service import serving_state

_SUBJECT = "model"
INTENDED_USE = (
    "Ranking of genomic targets and documented practices by association, for research and review, always with the "
    "attribution of the community that holds the knowledge."
)
LIMITS = (
    "The labels say which links are documented or were imported, no biology; an association says nothing of efficacy or "
    "safety.",
    "A confidence is calibrated on held-out pairs of catalogued practices; for a text or a gene of your own it is an "
    "orientation only.",
    "Where no source resolves a dose, the level is the model's own.",
)


def model_card() -> dict[str, Any]:
    """The card of the active version. Which practices it was trained on is not part of it.

    Raises:
        NoActiveModel: no model version is in service.
    """
    active, revision = serving_state()
    version = ModelVersion.objects.get(pk=active.pk)
    return {
        "model": {
            "sha256": version.sha256,
            "preset": version.preset,
            "data_sha256": version.data_sha256,
            "code_version": version.code_version,
            "promoted_at": version.promoted_at.isoformat() if version.promoted_at else None,
            "provisional": version.provisional,
            "statement": PROVISIONAL if version.provisional else "",
        },
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "protocols": [_protocol(name, row) for name, row in sorted(version.metrics.get("protocols", {}).items())],
        "policy_revision": revision,
        "note": NOT_MEDICAL_ADVICE,
    }


def _protocol(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """The scorers of one protocol: the model first, then all others, fractions with their 95% intervals."""
    scorers = sorted(row.get("scorers", {}).items(), key=lambda entry: (entry[0] != _SUBJECT, entry[0]))
    return {
        "protocol": name,
        "scorers": [
            {
                "name": scorer,
                "is_baseline": _is_baseline(scorer, found),
                "is_oracle": bool(found.get("oracle", False)),
                "metrics": [
                    {"direction": direction, **metric}
                    for direction, cells in sorted(found.get("directions", {}).items())
                    for metric in _metrics(cells)
                ],
            }
            for scorer, found in scorers
        ],
    }


def _is_baseline(name: str, found: dict[str, Any]) -> bool:
    """The model without condition fields is the model still, and the rule behind the labels competes with nobody."""
    return not found.get("oracle", False) and name != _SUBJECT and not name.startswith(f"{_SUBJECT} ")


def _metrics(cells: dict[str, Any]) -> list[dict[str, Any]]:
    named = {f"accuracy@{k}": estimate for k, estimate in cells.get("accuracy", {}).items()}
    named |= {name: cells.get(name) for name in ("mrr", "ece", "brier")}
    named["coverage of the 90% sets"] = (cells.get("sets") or {}).get("coverage")
    return [{"metric": name, **_estimate(estimate)} for name, estimate in named.items() if estimate]


def _estimate(estimate: dict[str, Any]) -> dict[str, Any]:
    return {name: estimate.get(name) for name in ("value", "low", "high")}
