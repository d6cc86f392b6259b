"""Whether the 90% sets hold what they promise, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence

from genomepath.ml.performance_targets import verdict_text
from genomepath.ml.results import ProtocolResult, SetResult
from genomepath.ml.set_metrics import sets_verdict
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.document import Block, Bullets, Heading, Paragraph, Table
from genomepath.reporting.material import REPORTED_PROTOCOLS, ReportMaterial
from genomepath.reporting.wording import WAYS, estimate_text, ordered_scorers

NOT_MEASURED = "This evaluation was made before sets were measured: evaluate_genomepath measures them."


def conformal_sets(material: ReportMaterial) -> list[Block]:
    """The section."""
    results = [result for result in material.protocols if result.protocol in REPORTED_PROTOCOLS]
    subject = material.evaluation.subject
    heading = Heading("90% sets")
    if not any(model_sets(result, subject, way) for result in results for way in DIRECTIONS):
        return [heading, Paragraph(NOT_MEASURED)]
    return [
        heading,
        Paragraph(
            "For each question the candidates whose score reaches a threshold, set so that 90% of the links that were held "
            "out lie among them (conformal prediction, calibrated on inner folds alone). Coverage is the share of "
            "held-out links in their set; a size counts the candidates of a question that are not known on the training "
            "side, and the last row is the size of a set drawn at random. Intervals of coverage are by practices (P3: "
            "targets), those of sizes by questions. On P1 the links that calibrate were drawn like those held out; on P2 "
            "and P3 whole records calibrate, and the links of a record hang together. The coverage that counts is the one "
            "measured here."
        ),
        *(_table(result, subject) for result in results),
        *_unlimited(material, results),
        Table("Targets of the 90% sets", ["target", "reached", "ours"], target_rows(material)),
    ]


def target_rows(material: ReportMaterial) -> list[list[str]]:
    """Name, coverage with its interval and verdict of each protocol and direction that measured sets."""
    rows = []
    for result in material.protocols:
        for way in DIRECTIONS:
            sets = model_sets(result, material.evaluation.subject, way)
            if sets is not None:
                verdict = verdict_text("the interval contains 90", sets_verdict(sets))
                rows.append([f"coverage {WAYS[way]} on {result.protocol}", estimate_text(sets.coverage), verdict])
    return rows


def model_sets(result: ProtocolResult, subject: str, way: str) -> SetResult | None:
    """The sets of the judged model, where they were measured."""
    return result.scorers[subject].directions[way].sets


def _table(result: ProtocolResult, subject: str) -> Table:
    header = [f"sets on {result.protocol}"]
    for way in DIRECTIONS:
        header += [f"coverage {WAYS[way]}", f"size {WAYS[way]}"]
    rows = []
    for name, row in ordered_scorers(result, subject):
        cells = [name]
        for way in DIRECTIONS:
            sets = row.directions[way].sets
            cells += ["not measured"] * 2 if sets is None else [estimate_text(sets.coverage), size_text(sets)]
        rows.append(cells)
    random = ["at random"]
    for way in DIRECTIONS:
        random += ["90.0", f"{result.chance.set_size[way]:.1f}"] if way in result.chance.set_size else ["", ""]
    return Table(f"Coverage (percent) and size of the 90% sets on {result.protocol}", header, [*rows, random], subject)


def _unlimited(material: ReportMaterial, results: Sequence[ProtocolResult]) -> list[Block]:
    """Where a coverage of 100% says only that no threshold could be set; nothing where every fold set one."""
    folds = material.evaluation.folds * len(material.evaluation.seeds)
    rows = []
    for result in results:
        for way in DIRECTIONS:
            counts = [
                f"{name} {sets.unlimited}"
                for name, row in ordered_scorers(result, material.evaluation.subject)
                if (sets := row.directions[way].sets) is not None and sets.unlimited
            ]
            if counts:
                rows.append(f"{WAYS[way]} on {result.protocol}: {', '.join(counts)} of {folds} folds.")
    if not rows:
        return []
    return [Paragraph("Too few links calibrated, so that every candidate was in the set:"), Bullets(rows)]


def size_text(sets: SetResult) -> str:
    """Mean size with its interval, of how many candidates."""
    if sets.size.value is None or sets.size.low is None or sets.size.high is None:
        return "not measured"
    return f"{sets.size.value:.1f} [{sets.size.low:.1f}, {sets.size.high:.1f}] of {sets.candidates:.1f}"
