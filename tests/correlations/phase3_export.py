"""Writes synthetic exports in the Phase 3 format. Nothing in them is real but the names of genes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def gene(symbol: str = "CNR1", **fields: Any) -> dict[str, Any]:
    return {
        "gene_id": symbol,
        "gene_type": "protein_coding",
        "associated_conditions": [
            {"condition": "synthetic_condition", "study_count": 3, "pathways": ["path_one"], "tissues": ["tissue_one"]}
        ],
        "pathways": ["path_one"],
        "tissues": ["tissue_one"],
        "evidence_sources": ["PMID:12345678"],
        "total_studies": 3,
        **fields,
    }


def practice(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "practice_id": f"TK_{number:04d}",
        "practice_name": f"Synthetic practice {number}",
        "source_community_id": f"synthetic_tradition_{number}",
        "knowledge_domain": "synthetic_domain",
        "preparation_method": "Synthetic preparation",
        "preparation_notes": "Synthetic note",
        "indications": ["synthetic_condition", "other_condition"],
        "contraindications": ["synthetic_caution"],
        "cultural_context": "Synthetic context",
        "ceremonial_significance": False,
        "traditional_dosage": "synthetic amount",
        "evidence_level": "ethnographic_documentation",
        "literature_sources": ["PMID:31415926"],
        "community_consent_status": "published_knowledge",
        "attribution_notes": "Synthetic records",
        "added_date": "2025-01-01T00:00:00",
        **fields,
    }


def found_from_practice(number: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "correlation_id": f"TK2G_{number:05d}",
        "direction": "tk_to_genomic",
        "tk_practice_id": "TK_0001",
        "tk_practice_name": "Synthetic practice 1",
        "source_community": "synthetic_tradition_1",
        "genomic_target": "CB1",
        "target_type": "receptor",
        "confidence": 0.8,
        "quality": "good",
        "mechanism": "synthetic mechanism",
        "tissue_confidence": 0.5,
        "pathway_confidence": 0.5,
        "disease_confidence": 0.5,
        "literature_confidence": 0.5,
        "dosage": "low",
        "dosage_range": "1-2 units",
        "evidence_sources": ["PMID:31415926", "literature_review"],
        "generated_date": f"2025-01-01T00:00:{number % 60:02d}",
        **fields,
    }


def found_from_gene(number: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "correlation_id": f"G2TK_{number:05d}",
        "direction": "genomic_to_tk",
        "genomic_target": "CNR1",
        "tk_practice_predicted": "Traditional Practice TK_0001",
        "predicted_community": "mock_community",
        "confidence": 0.6,
        "quality": "moderate",
        "requires_validation": True,
        "evidence_sources": ["PMID:23456789"],
        "generated_date": "2025-01-01T00:00:00",
        **fields,
    }


def write_export(
    folder: Path,
    *,
    genes: list[dict[str, Any]] | None = None,
    practices: list[Any] | None = None,
    correlations: list[Any] | None = None,
) -> Path:
    """An export of one gene, one practice and one correlation unless told otherwise."""
    members = {entry["gene_id"]: entry for entry in (genes if genes is not None else [gene()])}
    contents: dict[str, dict[str, Any]] = {
        "genomic_targets.json": {"metadata": {"version": "1.0"}, "genes": members, "pathway_index": {}},
        "tk_practices.json": {
            "metadata": {"version": "1.0"},
            "communities": ["synthetic_tradition_1"],
            "practices": practices if practices is not None else [practice()],
        },
        "training_correlations.json": {
            "metadata": {"version": "1.0"},
            "correlations": correlations if correlations is not None else [found_from_practice()],
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    return folder
