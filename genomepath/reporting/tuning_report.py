"""A study of hyperparameters as a document: what mattered, then every point from the best down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from genomepath.ml.tuning_effects import HyperparameterEffect, marginal_effects
from genomepath.reporting.charts import Interval, interval_chart
from genomepath.reporting.document import Block, Bullets, Document, Figure, Heading, Notice, Paragraph, Table
from genomepath.reporting.material import NOT_MEDICAL_ADVICE

NAMES = {"learning_rate": "learning rate", "batch_rows": "batch", "dropout": "dropout", "bridge": "bridge"}


@dataclass(frozen=True)
class TuningMaterial:
    """A study and its points that were trained, each with its hyperparameters and numbers; ``failed`` points have none."""

    preset: str
    seed: int
    epochs: int
    data_sha256: str
    code_version: str
    points: Sequence[Mapping[str, Any]]
    failed: int

    @property
    def ordered(self) -> list[Mapping[str, Any]]:
        """The points from the best down, equal ones in the order of the grid."""
        return sorted(self.points, key=lambda point: (-point["mrr"], point["number"]))


def tuning_report(material: TuningMaterial) -> Document:
    """The document of a study with at least one point that was trained."""
    effects = marginal_effects(material.points)
    return Document(
        "GenomePath tuning report",
        [
            Notice(NOT_MEDICAL_ADVICE),
            Paragraph(_identity(material)),
            Heading("What mattered"),
            Paragraph(
                "The mean of both directions' MRR over the validation pairs, for each value of a hyperparameter over all "
                "points that have it. The share is the part of the variance over all points that the means of a "
                "hyperparameter explain; what the shares leave is interaction and noise."
            ),
            _shares(effects),
            *(_figure(effect, material) for effect in effects),
            *_points(material),
            Heading("What the numbers don't mean"),
            Bullets(
                [
                    "Points stop early on the validation pairs and are judged on them: good for choosing among points, too "
                    "good as an estimate.",
                    "The validation pairs are few: points that differ by less than two pairs can't be told apart.",
                    "One split and one seed. The test pairs of the split were not looked at.",
                ]
            ),
        ],
    )


def _identity(material: TuningMaterial) -> str:
    seconds = sum(point["seconds"] for point in material.points)
    peak = max(point["peak_mib"] for point in material.points)
    return (
        f"Preset {material.preset}, seed {material.seed}, at most {material.epochs} epochs, data "
        f"{material.data_sha256[:12]}, code {material.code_version[:12]}. {len(material.points)} points trained, "
        f"{material.failed} failed; {seconds:.0f} seconds of one process in all, at most {peak:.0f} MiB in a process."
    )


def _shares(effects: Sequence[HyperparameterEffect]) -> Table:
    rows = []
    for effect in effects:
        best = max(effect.values, key=lambda cell: cell.mean)
        worst = min(effect.values, key=lambda cell: cell.mean)
        rows.append(
            [
                NAMES[effect.name],
                f"{100 * effect.share:.1f}",
                f"{best.value:g} ({100 * best.mean:.1f})",
                f"{worst.value:g} ({100 * worst.mean:.1f})",
            ]
        )
    header = ["hyperparameter", "share of the variance, percent", "best value (mean MRR)", "worst value (mean MRR)"]
    return Table("Hyperparameters by what they explain", header, rows)


def _figure(effect: HyperparameterEffect, material: TuningMaterial) -> Block:
    name = NAMES[effect.name]
    best = max(effect.values, key=lambda cell: cell.mean)
    mrr = [point["mrr"] for point in material.points]
    drawn = [
        Interval(f"{name} {cell.value:g}", 100 * cell.mean, 100 * cell.low, 100 * cell.high, marked=cell is best)
        for cell in effect.values
    ]
    title = f"MRR by {name}: mean, and range over the points"
    description = f"{title}. Highest mean: {best.value:g}, {100 * best.mean:.1f} percent."
    lowest, highest = floor(100 * min(mrr)), ceil(100 * max(mrr))
    chance = 100 * material.points[0]["chance_mrr"]
    svg = interval_chart(title, description, drawn, chance=chance, lowest=lowest, highest=max(highest, lowest + 1))
    rows = [
        [
            f"{cell.value:g}",
            f"{100 * cell.mean:.1f}",
            f"{100 * cell.low:.1f} to {100 * cell.high:.1f}",
            str(cell.points),
        ]
        for cell in effect.values
    ]
    return Figure(svg, description, Table(title, [name, "mean MRR", "lowest to highest", "points"], rows))


def _points(material: TuningMaterial) -> list[Block]:
    header = [*NAMES.values(), "MRR", "TK→G MRR", "TK→G @5", "G→TK MRR", "G→TK @3", "loss", "best epoch", "epochs", "s"]
    metrics = (
        "mrr", "tk_to_genomic_mrr", "tk_to_genomic_accuracy_at_5", "genomic_to_tk_mrr", "genomic_to_tk_accuracy_at_3",
    )  # fmt: skip
    rows = [
        [
            *(f"{point[name]:g}" for name in NAMES),
            *(f"{100 * point[name]:.1f}" for name in metrics),
            f"{point['validation_loss']:.4f}",
            str(point["best_epoch"]),
            str(point["epochs"]),
            f"{point['seconds']:.1f}",
        ]
        for point in material.ordered
    ]
    return [Heading("Every point"), Table("Points from the best down, MRR and accuracy in percent", header, rows)]
