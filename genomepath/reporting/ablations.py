"""What each part of the model adds, from an evaluation of its variants on the same folds."""

from __future__ import annotations

from genomepath.ml.metrics import CONSISTENCY_CUTOFFS
from genomepath.ml.results import ProtocolResult
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.document import Block, Heading, Paragraph, Table
from genomepath.reporting.material import Ablation
from genomepath.reporting.wording import WAYS, difference_text, estimate_text, ordered_scorers


def ablations(ablation: Ablation | None) -> list[Block]:
    """The section; it says so where no ablation was given."""
    heading = Heading("Ablations")
    if ablation is None:
        return [heading, Paragraph("No ablation was given to this report.")]
    seeds = ", ".join(map(str, ablation.evaluation.seeds))
    return [
        heading,
        Paragraph(
            f"Preset {ablation.preset}, seeds {seeds}: the model without each of its parts, on the same outer folds. The "
            "parts were chosen on inner folds; these tables are for the reader. A difference is the model less the variant "
            "in MRR: where it is below zero, the variant ranks better."
        ),
        *(_variants(result, ablation.evaluation.subject) for result in ablation.evaluation.protocols.values()),
    ]


def _variants(result: ProtocolResult, subject: str) -> Table:
    cutoffs = dict(zip(DIRECTIONS, CONSISTENCY_CUTOFFS, strict=True))
    header = [result.protocol]
    for way, k in cutoffs.items():
        header += [f"{WAYS[way]} accuracy@{k}", f"{WAYS[way]} MRR", f"{WAYS[way]} difference"]
    rows = []
    for name, row in ordered_scorers(result, subject):
        cells, differences = [name], result.differences.get(name)
        for way, k in cutoffs.items():
            direction = row.directions[way]
            cells += [estimate_text(direction.accuracy[str(k)]), estimate_text(direction.mrr)]
            cells.append(difference_text(differences[way]) if differences else "")
        rows.append(cells)
    return Table(f"Variants on {result.protocol}, percent with 95% intervals", header, rows, marked=subject)
