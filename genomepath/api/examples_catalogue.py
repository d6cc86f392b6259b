"""Synthetic examples of catalogue lists and single records; a test holds them to the schema."""

from __future__ import annotations

from typing import Any

from genomepath.answers import NOT_MEDICAL_ADVICE
from genomepath.api.examples import DOSAGE, FRAME, PRACTICE, PRACTICE_ANSWER, SOURCE, TARGET
from genomepath.explanations import CURATED, STATEMENTS
from genomepath.model_card import INTENDED_USE, LIMITS
from genomepath.score_parts import NOTE

_ATTRIBUTION = PRACTICE["attribution"]
_NAMED = {"slug": PRACTICE["slug"], "title": PRACTICE["title"]}


def _page(row: dict[str, Any]) -> dict[str, Any]:
    return {"next": None, "previous": None, "results": [row]}


PRACTICE_PAGE = _page({**_NAMED, "tradition": PRACTICE["tradition"], "attribution": _ATTRIBUTION})
TARGET_PAGE = _page(TARGET)
CORRELATION_PAGE = _page(
    {
        "practice": _NAMED,
        "target": TARGET,
        "direction": "tk_to_genomic",
        "dose": {"level": "medium", "basis": "modelled"},
        "confidence": 0.62,
        "quality": "moderate",
        "sources": [SOURCE],
        "attribution": _ATTRIBUTION,
    }
)
DOSAGE_PAGE = _page({**DOSAGE, "practice": _NAMED, "attribution": _ATTRIBUTION})
EVIDENCE_PAGE = _page(
    {
        **SOURCE,
        "target": TARGET["symbol"],
        "compound": "example compound",
        "conditions": [{"name": "example condition", "mesh_id": "", "mondo_id": ""}],
    }
)
SYNERGY_PAGE = _page(
    {
        "targets": ["CNR1", "TRPV1"],
        "interaction": "Example interaction of two targets.",
        "kind": "example",
        "source": SOURCE,
    }
)
EXPLANATION: dict[str, Any] = {
    "practice": {**_NAMED, "attribution": _ATTRIBUTION},
    "target": TARGET,
    "direction": "tk_to_genomic",
    "dose": {"level": "medium", "chosen_by": "default"},
    "rank": 1,
    "confidence": 0.71,
    "in_set": True,
    "score": {
        "log_odds": 0.9,
        "by_field": [
            {"field": "dose", "name": "", "text_match": 0.0, "towers": 0.05, "share": 0.0233},
            {"field": "title", "name": "", "text_match": 0.2, "towers": 0.1, "share": 0.1395},
            {"field": "indication", "name": "example condition", "text_match": 0.7, "towers": 0.2, "share": 0.4186},
        ],
        "whole_text": {"log_odds": 0.1, "share": 0.0465},
        "known_links": {"log_odds": 0.8, "share": 0.3721},
        "towers_together": 0.4,
        "base": -1.3,
        "note": NOTE,
    },
    "kind": CURATED,
    "statement": STATEMENTS[CURATED],
    "paths": [
        {
            "direction": "tk_to_genomic",
            "doses": [{"level": "medium", "basis": "modelled"}],
            "confidence": 0.62,
            "quality": "moderate",
            "mechanism": "",
            "steps": [
                {
                    "kind": "indication",
                    "id": "example condition",
                    "label": "documented for example condition",
                    "source": "Example reference (synthetic)",
                },
                {
                    "kind": "target",
                    "id": "CNR1",
                    "label": "cannabinoid receptor 1",
                    "source": "Example reference (synthetic)",
                },
            ],
            "sources": [SOURCE],
        }
    ],
    "neighbours": [],
    **FRAME,
    "policy": {**FRAME["policy"], "purpose": "explanation"},
}
EXPLANATION_OF_PRACTICE: dict[str, Any] = {
    **EXPLANATION,
    "direction": "genomic_to_tk",
    "dose": None,
    "score": {
        **EXPLANATION["score"],
        "by_field": [
            {"field": "identity", "name": "", "text_match": 0.2, "towers": 0.1, "share": 0.1429},
            {
                "field": "disease_association",
                "name": "example condition",
                "text_match": 0.7,
                "towers": 0.2,
                "share": 0.4286,
            },
        ],
        "whole_text": {"log_odds": 0.1, "share": 0.0476},
        "known_links": {"log_odds": 0.8, "share": 0.381},
    },
}
MODEL_CARD: dict[str, Any] = {
    "model": {**FRAME["model"], "code_version": "0.1.0", "promoted_at": "2026-01-01T12:00:00+00:00"},
    "intended_use": INTENDED_USE,
    "limits": list(LIMITS),
    "protocols": [
        {
            "protocol": "P1",
            "scorers": [
                {
                    "name": "model",
                    "is_baseline": False,
                    "is_oracle": False,
                    "metrics": [
                        {"direction": "tk_to_genomic", "metric": "accuracy@5", "value": 0.79, "low": 0.7, "high": 0.87}
                    ],
                }
            ],
        }
    ],
    "policy_revision": 12,
    "note": NOT_MEDICAL_ADVICE,
}
COMMUNITY_ATTRIBUTION: dict[str, Any] = {
    "community": {"slug": "example-community", "name": "Example community", "region": ""},
    "statement": "Documented use of the example community.",
    "labels": [],
    "note": NOT_MEDICAL_ADVICE,
}
USAGE: dict[str, Any] = {
    "organisation": "Example dispensary",
    "audience": "commercial",
    "from": "2026-01-01",
    "to": "2026-01-30",
    "rows": [{"day": "2026-01-02", "event_type": "prediction.served", "times": 12}],
    "total": 12,
}
BATCH_QUESTIONS: dict[str, Any] = {
    "questions": [
        {"practice": "example-practice", "dose": "medium", "k": 1},
        {"target": "NO-SUCH-TARGET"},
    ]
}
BATCH_ANSWER: dict[str, Any] = {
    "results": [
        {"index": 0, "status": 200, "answer": PRACTICE_ANSWER},
        {
            "index": 1,
            "status": 404,
            "problem": {
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "detail": "There is nothing under this name, or it may not be used.",
            },
        },
    ],
    "failed": 1,
    "note": NOT_MEDICAL_ADVICE,
}
