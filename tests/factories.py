"""Small, obviously synthetic records. No real knowledge stands in a test."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from correlations.models import (
    Condition,
    Correlation,
    DosageProfile,
    Evidence,
    GenomicTarget,
    Practice,
    PracticeIndication,
    SynergyPair,
)
from ethics.models import Community, GovernedItem
from ethics.policy import Basis
from ethics.stewardship import item_create
from genomepath.models import ModelVersion, Prediction, TuningPoint, TuningStudy

_numbers = itertools.count(1)


def make_community(**fields: Any) -> Community:
    number = next(_numbers)
    return Community.objects.create(
        **{
            "slug": f"community-{number}",
            "name": f"Community {number}",
            "statement": f"Knowledge of community {number}",
            **fields,
        }
    )


def make_item(**fields: Any) -> GovernedItem:
    number = next(_numbers)
    return item_create(
        **{
            "community": fields.pop("community", None) or make_community(),
            "display_label": f"Item {number}",
            "basis": Basis.DOCUMENTED,
            "basis_source": f"Synthetic source {number}",
            "statement": f"Attributed to community of item {number}",
            **fields,
        }
    )


def make_evidence(**fields: Any) -> Evidence:
    number = next(_numbers)
    return Evidence.objects.create(
        **{"key": f"evidence-{number}", "reference": f"Synthetic reference {number}", "verified": True, **fields}
    )


def make_practice(
    *, item: GovernedItem | None = None, indications: tuple[str, ...] = ("condition one",), **fields: Any
) -> Practice:
    number = next(_numbers)
    practice = Practice.objects.create(
        **{
            "item": item or make_item(),
            "slug": f"practice-{number}",
            "title": f"Synthetic practice {number}",
            "tradition": f"Tradition {number}",
            "preparation": "synthetic preparation",
            "cultural_context": "synthetic context",
            **fields,
        }
    )
    for position, name in enumerate(indications):
        condition, _ = Condition.objects.get_or_create(name=name)
        PracticeIndication.objects.create(practice=practice, condition=condition, position=position)
    for level in ("low", "medium", "high"):
        DosageProfile.objects.create(practice=practice, level=level, basis="modelled", note="no source resolves dose")
    practice.sources.add(make_evidence())
    return practice


def make_target(symbol: str = "", **fields: Any) -> GenomicTarget:
    number = next(_numbers)
    return GenomicTarget.objects.create(
        **{
            "symbol": symbol or f"SYN{number}",
            "name": f"synthetic target {number}",
            "source": "synthetic",
            "pathways": [{"name": f"pathway {number}", "id": ""}],
            "tissues": ["tissue one"],
            **fields,
        }
    )


def make_correlation(practice: Practice, target: GenomicTarget, **fields: Any) -> Correlation:
    return Correlation.objects.create(
        **{
            "practice": practice,
            "target": target,
            "direction": "tk_to_genomic",
            "dose": "low",
            "confidence": 0.6,
            "quality": "moderate",
            "status": "approved",
            **fields,
        }
    )


def make_synergy(first: GenomicTarget, second: GenomicTarget) -> SynergyPair:
    first, second = sorted([first, second], key=lambda target: target.symbol)
    return SynergyPair.objects.create(
        target_a=first, target_b=second, interaction="synthetic interaction", kind="synthetic", evidence=make_evidence()
    )


def make_model_version(**fields: Any) -> ModelVersion:
    number = next(_numbers)
    return ModelVersion.objects.create(
        **{
            "sha256": f"{number:064x}",
            "state": "active",
            "preset": "small",
            "data_sha256": "0" * 64,
            "code_version": "test",
            "folder": "models/test",
            "snapshot_folder": "snapshots/test",
            **fields,
        }
    )


def publish(version: ModelVersion, practices: list[Practice], targets: list[GenomicTarget]) -> None:
    """Every practice x dose and every target, with falling confidence by the order given."""
    rows = []
    for practice in practices:
        for dose in ("low", "medium", "high"):
            rows += [
                _prediction(version, "tk_to_genomic", practice, target, dose, rank)
                for rank, target in enumerate(targets, start=1)
            ]
    for target in targets:
        rows += [
            _prediction(version, "genomic_to_tk", practice, target, "", rank)
            for rank, practice in enumerate(practices, start=1)
        ]
    Prediction.objects.bulk_create(rows)


def _prediction(
    version: ModelVersion, direction: str, practice: Practice, target: GenomicTarget, dose: str, rank: int
) -> Prediction:
    return Prediction(
        model_version=version,
        direction=direction,
        practice=practice,
        target=target,
        dose=dose,
        rank=rank,
        score=float(-rank),
        confidence=1.0 / (1 + rank),
    )


def make_catalogue(practices: int = 3, targets: int = 4, **version_fields: Any) -> Catalogue:
    """An active model version with published predictions for so many practices and targets."""
    made = [make_practice() for _ in range(practices)]
    genes = [make_target() for _ in range(targets)]
    version = make_model_version(**version_fields)
    publish(version, made, genes)
    return Catalogue(version, made, genes)


@dataclass(frozen=True)
class Catalogue:
    """What ``make_catalogue`` made, in the order of the ranks."""

    version: ModelVersion
    practices: list[Practice]
    targets: list[GenomicTarget]


def make_training_catalogue(practices: int = 12, targets: int = 10) -> TrainingCatalogue:
    """Approved correlations between so many practices and targets: each practice with three to four targets.

    Made again it has the same content, and so the same snapshot, whatever was made before.
    """
    kinds = ("root", "leaf", "bark", "seed", "flower")
    made = [
        make_practice(
            slug=f"training-practice-{index}",
            title=f"Synthetic {kinds[index % 5]} practice {index}",
            tradition=f"Training tradition {index}",
            preparation=f"synthetic {kinds[index % 5]} decoction",
            indications=(f"synthetic condition {index % 4}",),
        )
        for index in range(practices)
    ]
    genes = [
        make_target(
            f"TRN{index}",
            name=f"synthetic {kinds[index % 5]} protein {index}",
            pathways=[{"name": f"training pathway {index % 3}", "id": ""}],
        )
        for index in range(targets)
    ]
    confidences = ((0.8, "good"), (0.6, "moderate"), (0.4, "poor"))
    rows = []
    for p, practice in enumerate(made):
        for g in sorted({(p + step * step) % targets for step in range(4)}):
            confidence, quality = confidences[(p + g) % 3]
            for dose in ("low", "medium", "high")[: 1 + (p + g) % 3]:
                rows.append(make_correlation(practice, genes[g], dose=dose, confidence=confidence, quality=quality))
    make_synergy(genes[0], genes[1])
    return TrainingCatalogue(made, genes, rows)


@dataclass(frozen=True)
class TrainingCatalogue:
    """What ``make_training_catalogue`` made."""

    practices: list[Practice]
    targets: list[GenomicTarget]
    correlations: list[Correlation]


def make_tuning_study(**fields: Any) -> TuningStudy:
    """A study with one point that waits."""
    study = TuningStudy.objects.create(
        **{
            "preset": "small",
            "seed": 0,
            "epochs": 1,
            "include_drafts": False,
            "data_sha256": "0" * 64,
            "code_version": "test",
            "requested_by": "test",
            **fields,
        }
    )
    TuningPoint.objects.create(study=study, number=0, learning_rate=1e-4, batch_rows=32, dropout=0.1, bridge=128)
    return study
