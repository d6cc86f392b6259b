"""``python -m genomepath.ml.permutation_test SNAPSHOT``: what the model finds of the true links when every practice and
every gene has the identity of another, beside what a random order finds, as a Markdown table.

See ``identity_permutation`` for what is permuted and why the ranks are uniform then.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from genomepath.ml import metrics
from genomepath.ml.command_line import (
    PROTOCOLS,
    add_judging_options,
    failures_told,
    judging_options,
    result_write,
    say,
    snapshot_to_judge,
)
from genomepath.ml.config import preset_config
from genomepath.ml.dataset import TextFeatures, build_text_features
from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.fold_scoring import AnyScorer
from genomepath.ml.identity_permutation import (
    Among,
    ChanceInterval,
    PermutedRanks,
    chance_interval,
    permuted_ranks,
    pooled,
)
from genomepath.ml.report import WAYS
from genomepath.ml.snapshot import DIRECTIONS, Snapshot
from genomepath.ml.training_run import model_scorer

CUTOFFS: Mapping[str, int] = dict(zip(DIRECTIONS, metrics.CONSISTENCY_CUTOFFS, strict=True))


@dataclass(frozen=True)
class PermutationRow:
    """One number of one protocol and direction, ``value``, and the mean and deviation that a random order would have.

    ``metric`` is ``accuracy`` (at the cutoff of the direction) or ``mrr``; ``among`` the value of an ``Among``.
    """

    protocol: str
    direction: str
    metric: str
    among: str
    value: float
    chance: float
    deviation: float

    @property
    def by_chance(self) -> ChanceInterval:
        """What a random order would reach."""
        return ChanceInterval(self.chance, self.deviation)

    @property
    def within(self) -> bool:
        """Whether the value lies in what 95% of random orders reach."""
        return self.by_chance.holds(self.value)


@dataclass(frozen=True)
class PermutationResult:
    """The rows of one permutation test, with the data, preset and seeds that they are of."""

    data_sha256: str
    preset: str
    seeds: tuple[int, ...]
    rows: tuple[PermutationRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, payload: Mapping[str, Any]) -> PermutationResult:
        """Read what ``to_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError: a value is missing or of another type.
        """
        rows = tuple(PermutationRow(**row) for row in payload["rows"])
        if not all(isinstance(number, float) for row in rows for number in (row.value, row.chance, row.deviation)):
            raise ValueError("a row of a permutation test holds numbers")
        return cls(str(payload["data_sha256"]), str(payload["preset"]), tuple(map(int, payload["seeds"])), rows)


def permutation_test(
    snapshot: Snapshot,
    features: TextFeatures,
    scorer: AnyScorer,
    *,
    protocols: Sequence[str] = PROTOCOLS,
    seeds: Sequence[int] = (0,),
    on_progress: Callable[[str], None] | None = None,
) -> tuple[PermutationRow, ...]:
    """Accuracy and MRR by protocol and direction, over all folds and seeds. Where the answers are unseen records there are
    two rows of each: among the unseen ones, and among the whole catalogue.

    Raises:
        LeakageError, SplitError: see ``identity_permutation.permuted_ranks``.
    """
    rows: list[PermutationRow] = []
    for protocol in protocols:
        parts = []
        for seed in seeds:
            parts.append(permuted_ranks(snapshot, features, scorer, protocol, seed=seed))
            if on_progress is not None:
                on_progress(f"{protocol} seed {seed}")
        for way in DIRECTIONS:
            by_among = {among: pooled([part[among][way] for part in parts]) for among in Among}
            for among in Among:
                same = (by_among[among].candidates == by_among[Among.UNSEEN].candidates).all()
                if among is Among.UNSEEN or not same:
                    rows.extend(_rows(protocol, way, among, by_among[among]))
    return tuple(rows)


def table(rows: Sequence[PermutationRow]) -> str:
    """One line a number, percent; the interval is that of a random order."""
    lines = ["| | among | found | by chance | |", "| --- " * 5 + "|"]
    lines += [f"| {' | '.join(cells)} |" for cells in table_cells(rows)]
    return "\n".join(lines)


def table_cells(rows: Sequence[PermutationRow]) -> Iterator[list[str]]:
    """Name, candidates, value, chance with its interval, and verdict of each row."""
    both = {(row.protocol, row.direction) for row in rows if row.among == Among.CATALOGUE.value}
    for row in rows:
        low, high = row.by_chance.bounds
        name = "MRR" if row.metric == "mrr" else f"accuracy@{CUTOFFS[row.direction]}"
        among = row.among if (row.protocol, row.direction) in both else Among.CATALOGUE.value
        chance = f"{100 * row.chance:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
        verdict = "within" if row.within else "OUTSIDE"
        yield [f"{row.protocol} {WAYS[row.direction]} {name}", among, f"{100 * row.value:.1f}", chance, verdict]


def _rows(protocol: str, way: str, among: Among, ranks: PermutedRanks) -> Iterator[PermutationRow]:
    values = {"accuracy": metrics.hits_at(ranks.ranks, CUTOFFS[way]), "mrr": metrics.reciprocal_ranks(ranks.ranks)}
    for metric, value in values.items():
        chance = chance_interval(ranks, CUTOFFS[way] if metric == "accuracy" else None)
        yield PermutationRow(protocol, way, metric, among.value, float(value.mean()), chance.mean, chance.deviation)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table for a snapshot folder."""
    parser = argparse.ArgumentParser(prog="python -m genomepath.ml.permutation_test", description=__doc__)
    add_judging_options(parser, protocols=PROTOCOLS, report_option="--permutation")
    options = judging_options(parser, arguments)
    with failures_told(parser):
        snapshot = snapshot_to_judge(options)
        rows = permutation_test(
            snapshot,
            build_text_features(snapshot, MiniLMEncoder()),
            model_scorer(preset_config(options.preset, calibration_parts=0)),
            protocols=options.protocols,
            seeds=options.seeds,
            on_progress=say,
        )
    say(table(rows))
    result = PermutationResult(snapshot.data_sha256, options.preset, tuple(options.seeds), rows)
    result_write(parser, options.json, result.to_dict())


if __name__ == "__main__":
    main()
