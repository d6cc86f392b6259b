"""Which answers lead to which questions, as links of the OpenAPI document."""

from __future__ import annotations

from typing import Any

_FIRST_ROW = "$response.body#/results/0"
_FIRST_PREDICTION = "$response.body#/predictions/0"

# For each operation: the operation that follows, and where its parameters stand in the answer.
_LINKS: dict[str, list[tuple[str, dict[str, str]]]] = {
    "list_practices": [
        ("predict_targets_for_practice", {"path.slug": f"{_FIRST_ROW}/slug"}),
        ("read_attribution", {"path.slug": f"{_FIRST_ROW}/attribution/community/slug"}),
        ("list_dosage_profiles", {"query.practice": f"{_FIRST_ROW}/slug"}),
        ("list_correlations", {"query.practice": f"{_FIRST_ROW}/slug"}),
    ],
    "list_targets": [
        ("predict_practices_for_target", {"path.symbol": f"{_FIRST_ROW}/symbol"}),
        ("list_evidence", {"query.target": f"{_FIRST_ROW}/symbol"}),
        ("list_synergies", {"query.target": f"{_FIRST_ROW}/symbol"}),
    ],
    "list_correlations": [
        (
            "explain_prediction",
            {"path.slug": f"{_FIRST_ROW}/practice/slug", "path.symbol": f"{_FIRST_ROW}/target/symbol"},
        ),
    ],
    "predict_targets_for_practice": [
        (
            "explain_prediction",
            {"path.slug": "$response.body#/practice/slug", "path.symbol": f"{_FIRST_PREDICTION}/target/symbol"},
        ),
    ],
    "predict_practices_for_target": [
        (
            "explain_prediction",
            {"path.slug": f"{_FIRST_PREDICTION}/practice/slug", "path.symbol": "$response.body#/target/symbol"},
        ),
        ("predict_targets_for_practice", {"path.slug": f"{_FIRST_PREDICTION}/practice/slug"}),
    ],
}


def add_links(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: the document with its links."""
    for operations in result["paths"].values():
        for operation in operations.values():
            for follower, parameters in _LINKS.get(operation["operationId"], ()):
                links = operation["responses"]["200"].setdefault("links", {})
                links[follower] = {"operationId": follower, "parameters": parameters}
    return result
