"""Synthetic examples for the OpenAPI document; a test holds them to the schema."""

from __future__ import annotations

from typing import Any

from genomepath.answers import NOT_MEDICAL_ADVICE, PROVISIONAL

SOURCE: dict[str, Any] = {
    "reference": "Example reference (synthetic)",
    "pmid": "",
    "doi": "",
    "url": "",
    "level": "reference_text",
    "year": None,
    "verified": True,
}
PRACTICE: dict[str, Any] = {
    "slug": "example-practice",
    "title": "Example practice",
    "tradition": "Example tradition",
    "documented_uses": [{"name": "example condition", "mesh_id": "", "mondo_id": ""}],
    "contraindications": ["example contraindication"],
    "evidence_level": "reference_text",
    "sources": [SOURCE],
    "attribution": {
        "community": {"slug": "example-community", "name": "Example community"},
        "statement": "Documented use of the example community.",
        "credited_name": "",
        "labels": [],
        "basis": {
            "kind": "documented_and_published",
            "source": "Example reference (synthetic)",
            "consent_reference": "",
        },
    },
}
TARGET = {"symbol": "CNR1", "hgnc_id": "HGNC:2159", "name": "cannabinoid receptor 1"}
DOSAGE: dict[str, Any] = {
    "level": "medium",
    "basis": "modelled",
    "amount_range": "",
    "note": "No source resolves the dose.",
    "source": None,
}
EVIDENCE: dict[str, Any] = {"status": "predicted_only", "sourced_doses": [], "sources": []}
FRAME: dict[str, Any] = {
    "model": {
        "sha256": "0" * 64,
        "preset": "spec",
        "data_sha256": "1" * 64,
        "provisional": True,
        "statement": PROVISIONAL,
    },
    "policy": {"revision": 12, "purpose": "prediction", "audience": "commercial"},
    "note": NOT_MEDICAL_ADVICE,
}

PRACTICE_ANSWER: dict[str, Any] = {
    "direction": "tk_to_genomic",
    "practice": PRACTICE,
    "dose": {"chosen_by": "default", **DOSAGE},
    "k": 1,
    "set": {"level": 0.9, "size": 6},
    "predictions": [{"rank": 1, "target": TARGET, "confidence": 0.71, "in_set": True, "evidence": EVIDENCE}],
    "synergies": [],
    **FRAME,
}
TARGET_ANSWER: dict[str, Any] = {
    "direction": "genomic_to_tk",
    "target": TARGET,
    "k": 1,
    "set": {"level": 0.9, "size": 4},
    "predictions": [
        {
            "rank": 1,
            "practice": PRACTICE,
            "confidence": 0.64,
            "in_set": True,
            "evidence": EVIDENCE,
            "dosage": [DOSAGE],
        }
    ],
    **FRAME,
}
