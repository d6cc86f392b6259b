"""What is left to find when practices and genes have the identities of others: by chance, or something leaks."""

from __future__ import annotations

from genomepath.ml.identity_permutation import Among
from genomepath.ml.permutation_test import PermutationResult, table_cells
from genomepath.reporting.document import Block, Heading, Paragraph, Table


def permutations(result: PermutationResult | None) -> list[Block]:
    """The section; it says so where no permutation test was given."""
    heading = Heading("With permuted identities")
    if result is None:
        return [heading, Paragraph("No permutation test was given to this report.")]
    seeds = ", ".join(map(str, result.seeds))
    comparable = [row for row in result.rows if row.among == Among.UNSEEN.value]
    inside = sum(row.within for row in comparable)
    blocks: list[Block] = [
        heading,
        Paragraph(
            f"Preset {result.preset}, seeds {seeds}, all folds: on the training side every practice and every target has "
            "the texts and links of another, and the true held-out links are judged. Nothing of them can be known then, so "
            "that every rank is equally likely; the interval is that of such ranks, 95%. "
            f"Of {len(comparable)} numbers {inside} lie within."
        ),
    ]
    if len(comparable) < len(result.rows):
        blocks.append(
            Paragraph(
                "Where the answers are unseen records, they are ranked among themselves, and then among the whole "
                "catalogue. There a random order is no bound for what leaks: every known link of a competitor is taken "
                "out of its ranking, so that what is left of the known records are negatives which training has seen, and "
                "a model that has learned them places unseen records higher, whatever these are."
            )
        )
    header = ["", "among", "found", "by chance", ""]
    return [*blocks, Table("With permuted identities, percent", header, list(table_cells(result.rows)))]
