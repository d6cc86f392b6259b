"""What each part of the model adds, from an evaluation of its variants on the same folds."""

from __future__ import annotations

from genomepath.ml.metrics import CONSISTENCY_CUTOFFS
from genomepath.ml.results import EvaluationResult
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.document import Block, Heading, Paragraph, Table
from genomepath.reporting.wording import WAYS, difference_text, estimate_text


def ablations(ablation: EvaluationResult | None) -> list[Block]:
    """The section; it says so where no ablation was given."""
    heading = Heading("Ablations")
    if ablation is None:
        return [heading, Paragraph("No ablation was given to this report.")]
    seeds = ", ".join(map(str, ablation.seeds))
    blocks: list[Block] = [
        heading,
        Paragraph(
            f"The model without each of its parts, on the folds of seeds {seeds}. The parts were chosen on inner folds; "
            "these tables are for the reader. A difference is the model less the variant, in MRR. "
            "Below zero, the part did harm."
        ),
    ]
    for result in ablation.protocols.values():
        header = [result.protocol]
        for way, k in zip(DIRECTIONS, CONSISTENCY_CUTOFFS, strict=True):
            header += [f"{WAYS[way]} accuracy@{k}", f"{WAYS[way]} MRR", f"{WAYS[way]} difference"]
        rows = []
        for name, row in result.scorers.items():
            cells = [name]
            for way, k in zip(DIRECTIONS, CONSISTENCY_CUTOFFS, strict=True):
                direction = row.directions[way]
                own = result.differences.get(name)
                cells += [estimate_text(direction.accuracy[str(k)]), estimate_text(direction.mrr)]
                cells.append(difference_text(own[way]) if own else "")
            rows.append(cells)
        blocks.append(
            Table(f"Variants on {result.protocol}, percent with 95% intervals", header, rows, marked=ablation.subject)
        )
    return blocks
