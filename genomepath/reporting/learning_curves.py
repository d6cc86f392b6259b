"""How the training of this version went: losses and validation metrics by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genomepath.reporting.charts import Line, line_chart
from genomepath.reporting.document import Block, Figure, Heading, Paragraph, Table
from genomepath.reporting.material import ModelFacts, ReportMaterial

_CURVES = (
    ("Loss: binary cross-entropy", {"train_loss": "training", "validation_loss": "validation"}),
    ("Listwise loss", {"train_listwise": "training", "validation_listwise": "validation"}),
    ("Validation MRR", {"tk_to_genomic_mrr": "TK→G", "genomic_to_tk_mrr": "G→TK"}),
    ("Gradient norm before clipping", {"gradient_norm": "gradient norm"}),
)


def learning_curves(material: ReportMaterial) -> list[Block]:
    """The section; it says so where the version left no history."""
    model = material.model
    blocks: list[Block] = [Heading("Learning curves")]
    if not model.history:
        return [*blocks, Paragraph("This version left no training history.")]
    epochs = len(model.history)
    blocks.append(
        Paragraph(
            f"Preset {model.preset}, seed {model.seed}: {epochs} epoch{'' if epochs == 1 else 's'}, the weights are those "
            f"of epoch {model.best_epoch}{' (as they started)' if model.best_epoch == 0 else ''}. The validation side is "
            f"the training's own and judges nothing: {_use_of_validation(model)} The dotted line marks the epoch of the "
            "weights."
        )
    )
    rows = [{**record, **record.get("metrics", {})} for record in model.history]
    for title, names in _CURVES:
        present = {key: name for key, name in names.items() if any(key in row for row in rows)}
        if present:
            blocks.append(_figure(title, present, rows, model.best_epoch))
    return blocks


def _use_of_validation(model: ModelFacts) -> str:
    parts = model.calibration_parts
    if not parts:
        return "its pairs choose the epoch, and confidences and sets are calibrated on them."
    return (
        f"its pairs choose the epoch. Confidences and sets are calibrated on {parts} part{'' if parts == 1 else 's'} of the "
        "training side, each held out from a fit of its own."
    )


def _figure(title: str, names: Mapping[str, str], rows: Sequence[Mapping[str, Any]], best_epoch: int) -> Figure:
    lines = [
        Line(name, [(float(row["epoch"]), float(row[key])) for row in rows if key in row])
        for key, name in names.items()
    ]
    ends = "; ".join(f"{line.name} from {line.points[0][1]:.4g} to {line.points[-1][1]:.4g}" for line in lines)
    description = f"{title} by epoch: {ends}."
    shown = [row for row in rows if any(key in row for key in names)]
    table = Table(
        f"{title} by epoch",
        ["epoch", *names.values()],
        [[str(row["epoch"]), *(f"{row[key]:.4f}" if key in row else "" for key in names)] for row in shown],
    )
    guide = float(best_epoch) if best_epoch >= lines[0].points[0][0] else None
    return Figure(line_chart(title, description, lines, x_name="epoch", guide=guide), description, table)
