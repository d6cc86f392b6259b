"""What an evaluation found, as frozen records that go to JSON and back without loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from genomepath.ml.bootstrap import Estimate
from genomepath.ml.metrics import ReliabilityBin

RESULT_SCHEMA = 1
ZERO_SHOT = "zero-shot cosine"
Value = TypeVar("Value")


def without_conditions(scorer: str) -> str:
    """The name of a scorer that is judged without condition fields."""
    return f"{scorer} without condition fields"


class ResultError(ValueError):
    """The JSON is not an evaluation of this schema."""


@dataclass(frozen=True)
class SetResult:
    """Conformal sets of one direction: share of held-out links in their set, and mean size of a set.

    ``candidates`` is the mean number that a set was drawn from; in ``unlimited`` folds too few links calibrated, so that
    every candidate was in the set.
    """

    coverage: Estimate
    size: Estimate
    candidates: float
    unlimited: int

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> SetResult:
        """Read what ``EvaluationResult.to_dict`` wrote."""
        return cls(
            coverage=Estimate.from_dict(row["coverage"]),
            size=Estimate.from_dict(row["size"]),
            candidates=row["candidates"],
            unlimited=row["unlimited"],
        )


@dataclass(frozen=True)
class DirectionResult:
    """One direction of one scorer. Accuracy is keyed by k as text; calibration and sets are absent on P0."""

    accuracy: Mapping[str, Estimate]
    mrr: Estimate
    ece: Estimate | None = None
    brier: Estimate | None = None
    reliability: tuple[ReliabilityBin, ...] = ()
    sets: SetResult | None = None

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> DirectionResult:
        """Read what ``EvaluationResult.to_dict`` wrote."""
        return cls(
            accuracy=_mapped(Estimate.from_dict, row["accuracy"]),
            mrr=Estimate.from_dict(row["mrr"]),
            ece=_optional(row["ece"]),
            brier=_optional(row["brier"]),
            reliability=tuple(ReliabilityBin(**cell) for cell in row["reliability"]),
            sets=None if row.get("sets") is None else SetResult.from_dict(row["sets"]),
        )


SYNERGY_RATES: tuple[str, ...] = ("recall", "precision", "f1", "macro_recall")
"""The rates of a ``SynergyResult``, as its fields are called."""


@dataclass(frozen=True)
class SynergyResult:
    """Synergy recognition, each rate the mean over seeds; None where nothing can be measured."""

    instances: int
    recall: float | None
    precision: float | None
    f1: float | None
    macro_recall: float | None
    macro_pairs: int
    commonest: str


@dataclass(frozen=True)
class ScorerResult:
    """All metrics of one scorer under one protocol.

    ``oracle`` marks the rule that the labels were derived by: printed, and outside every comparison and the gate.
    ``dose_recall`` is keyed by dose, then k as text. ``consistency_joint`` is |A n B| / N.
    """

    oracle: bool
    directions: Mapping[str, DirectionResult]
    consistency: Estimate
    consistency_joint: Estimate
    dose_recall: Mapping[str, Mapping[str, Estimate]]
    dose_concordance: Estimate | None
    synergy: SynergyResult | None
    fit_seconds: float

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> ScorerResult:
        """Read what ``EvaluationResult.to_dict`` wrote."""
        return cls(
            oracle=row["oracle"],
            directions=_mapped(DirectionResult.from_dict, row["directions"]),
            consistency=Estimate.from_dict(row["consistency"]),
            consistency_joint=Estimate.from_dict(row["consistency_joint"]),
            dose_recall={dose: _mapped(Estimate.from_dict, cells) for dose, cells in row["dose_recall"].items()},
            dose_concordance=_optional(row["dose_concordance"]),
            synergy=None if row["synergy"] is None else SynergyResult(**row["synergy"]),
            fit_seconds=row["fit_seconds"],
        )


@dataclass(frozen=True)
class ChanceResult:
    """Analytic expectations of a random order: accuracy, MRR and size of a set by direction, recall by dose and k.

    ``differences`` are the paired MRR differences subject - chance, by direction. ``consistency`` and ``consistency_joint``
    as in ``ScorerResult``, for two orders that know nothing of each other; ``synergy`` is empty where there are no pairs.
    """

    accuracy: Mapping[str, Mapping[str, float]]
    mrr: Mapping[str, float]
    dose_recall: Mapping[str, Mapping[str, float]]
    set_size: Mapping[str, float] = field(default_factory=dict)
    differences: Mapping[str, Estimate] = field(default_factory=dict)
    consistency: float | None = None
    consistency_joint: float | None = None
    synergy: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> ChanceResult:
        """Read what ``EvaluationResult.to_dict`` wrote."""
        return cls(**{**row, "differences": _mapped(Estimate.from_dict, row.get("differences", {}))})


@dataclass(frozen=True)
class PairOutcome:
    """1 / rank of the subject for one held-out pair, the mean over seeds: lets two evaluations be paired later."""

    practice: str
    target: str
    tk_to_genomic: float
    genomic_to_tk: float


@dataclass(frozen=True)
class ProtocolResult:
    """One protocol: its held-out side, the chance row, every scorer, and paired MRR differences subject - other.

    ``bare_differences``: subject less zero-shot cosine, by direction, both without condition fields; empty where either was
    not judged.
    """

    protocol: str
    unit: str
    cluster: str
    held_out: int
    scorers: Mapping[str, ScorerResult]
    chance: ChanceResult
    differences: Mapping[str, Mapping[str, Estimate]]
    outcomes: tuple[PairOutcome, ...]
    notes: tuple[str, ...]
    bare_differences: Mapping[str, Estimate] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> ProtocolResult:
        """Read what ``EvaluationResult.to_dict`` wrote."""
        return cls(
            protocol=row["protocol"],
            unit=row["unit"],
            cluster=row["cluster"],
            held_out=row["held_out"],
            scorers=_mapped(ScorerResult.from_dict, row["scorers"]),
            chance=ChanceResult.from_dict(row["chance"]),
            differences={name: _mapped(Estimate.from_dict, cells) for name, cells in row["differences"].items()},
            outcomes=tuple(PairOutcome(**outcome) for outcome in row["outcomes"]),
            notes=tuple(row["notes"]),
            bare_differences=_mapped(Estimate.from_dict, row.get("bare_differences", {})),
        )


@dataclass(frozen=True)
class AbstentionRates:
    """Share of texts without an answer: what is unseen as all its fields (``whole``) and as its title or HGNC symbol alone
    (``names``), and texts about nothing of this field (``far``)."""

    whole: Estimate
    names: Estimate
    far: Estimate


@dataclass(frozen=True)
class AbstentionResult:
    """Rates with the threshold that each fold chose on its training side, and with the one that is in service."""

    thresholds: tuple[float, ...]
    chosen: AbstentionRates
    served_threshold: float
    served: AbstentionRates

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> AbstentionResult:
        """Read what ``EvaluationResult.to_dict`` wrote."""
        chosen, served = (
            AbstentionRates(*(Estimate.from_dict(row[part][name]) for name in ("whole", "names", "far")))
            for part in ("chosen", "served")
        )
        return cls(tuple(row["thresholds"]), chosen, row["served_threshold"], served)


@dataclass(frozen=True)
class EvaluationResult:
    """A whole evaluation. ``subject`` names the scorer under judgement; ``leakage_checks`` are those that passed.

    ``text_abstention``, of texts about a practice, is measured where P2 is, ``description_abstention``, of a target's, where
    P3 is.
    """

    data_sha256: str
    subject: str
    seeds: tuple[int, ...]
    folds: int
    practices: int
    targets: int
    correlations: int
    pairs: int
    protocols: Mapping[str, ProtocolResult]
    leakage_checks: tuple[str, ...]
    notes: tuple[str, ...]
    text_abstention: AbstentionResult | None = None
    description_abstention: AbstentionResult | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        return {"schema": RESULT_SCHEMA, **asdict(self)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> EvaluationResult:
        """Read what ``to_dict`` wrote.

        Raises:
            ResultError: another schema, or a missing or unknown field.
        """
        if row.get("schema") != RESULT_SCHEMA:
            raise ResultError(f"not an evaluation of schema {RESULT_SCHEMA}: {row.get('schema')!r}")
        try:
            return cls(
                data_sha256=row["data_sha256"],
                subject=row["subject"],
                seeds=tuple(row["seeds"]),
                folds=row["folds"],
                practices=row["practices"],
                targets=row["targets"],
                correlations=row["correlations"],
                pairs=row["pairs"],
                protocols=_mapped(ProtocolResult.from_dict, row["protocols"]),
                leakage_checks=tuple(row["leakage_checks"]),
                notes=tuple(row["notes"]),
                text_abstention=_abstention(row.get("text_abstention")),
                description_abstention=_abstention(row.get("description_abstention")),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ResultError(f"the evaluation is incomplete: {error!r}") from error


def _mapped(read: Callable[[Mapping[str, Any]], Value], rows: Mapping[str, Any]) -> dict[str, Value]:
    return {name: read(row) for name, row in rows.items()}


def _optional(row: Mapping[str, Any] | None) -> Estimate | None:
    return None if row is None else Estimate.from_dict(row)


def _abstention(row: Mapping[str, Any] | None) -> AbstentionResult | None:
    return None if row is None else AbstentionResult.from_dict(row)
