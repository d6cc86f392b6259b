"""Which scorers an evaluation sets beside the model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from genomepath.ml import abstention
from genomepath.ml.baselines import BASELINES, zero_shot
from genomepath.ml.config import ModelConfig
from genomepath.ml.dataset import TextFeatures, TruthMatrix, build_text_features
from genomepath.ml.embedding import MiniLMEncoder, TextEncoder
from genomepath.ml.evaluation import SUBJECT, Progress, evaluate
from genomepath.ml.fold_scoring import AnyScorer
from genomepath.ml.results import ZERO_SHOT, EvaluationResult
from genomepath.ml.results import without_conditions as without_conditions_of
from genomepath.ml.scores import FixedFeatures, Scores
from genomepath.ml.snapshot import Snapshot
from genomepath.ml.splits import CALIBRATION_PARTS, INNER_FOLDS
from genomepath.ml.training_run import model_scorer

ORACLE = "evidence rule (oracle)"


@dataclass(frozen=True)
class RuleScores:
    """The rule by which labels were derived, as a scorer: it knows the labels, so it stands outside every comparison."""

    truth: TruthMatrix

    def __call__(self, snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
        """The confidences of the rule, whatever the training side holds."""
        return Scores(self.truth.confidence, self.truth.pair_confidence.T)


def judge(
    snapshot: Snapshot,
    config: ModelConfig,
    *,
    protocols: tuple[str, ...] = ("P0", "P1"),
    seeds: tuple[int, ...] = (0,),
    labels_by_rule: bool = False,
    without_conditions: bool = False,
    workers: int = 1,
    on_progress: Progress | None = None,
    encoder: TextEncoder | None = None,
) -> EvaluationResult:
    """Evaluate the model of ``config`` beside every baseline, by the protocol.

    Args:
        labels_by_rule: the labels of the snapshot were derived by a rule, which is then printed as the oracle.
        without_conditions: judge the model without condition fields too, beside the cosine without them; it is trained
            anew in every fold, which doubles the time.
        workers: processes that folds run in.

    Raises:
        LeakageError, SplitError: see ``evaluation.evaluate``.
    """
    encoder = encoder or MiniLMEncoder()
    features = build_text_features(snapshot, encoder, config.drop_conditions)
    bare = build_text_features(snapshot, encoder, True)
    scorers: dict[str, AnyScorer] = {
        SUBJECT: model_scorer(config),
        **BASELINES,
        without_conditions_of(ZERO_SHOT): FixedFeatures(zero_shot, bare),
    }
    if without_conditions:
        scorers[without_conditions_of(SUBJECT)] = FixedFeatures(
            model_scorer(replace(config, drop_conditions=True, calibration_parts=0)), bare
        )
    if labels_by_rule:
        scorers[ORACLE] = RuleScores(TruthMatrix.from_snapshot(snapshot))
    result = evaluate(
        snapshot,
        features,
        scorers,
        protocols=protocols,
        seeds=seeds,
        oracles=frozenset({ORACLE}) if labels_by_rule else frozenset(),
        on_progress=on_progress,
        workers=workers,
    )
    result = replace(result, notes=(*result.notes, calibration_note(config.calibration_parts)))
    if abstention.PRACTICES_PROTOCOL in protocols:
        texts = abstention.measure_text_abstention(snapshot, encoder, seeds=seeds)
        result = replace(result, text_abstention=texts)
    if abstention.TARGETS_PROTOCOL in protocols:
        descriptions = abstention.measure_description_abstention(snapshot, encoder, seeds=seeds)
        result = replace(result, description_abstention=descriptions)
    return result


def calibration_note(parts: int) -> str:
    """What the confidences and sets of a judged model with so many calibration parts are calibrated on."""
    if not parts:
        return (
            "Confidences and sets of the model are calibrated on the part of each training side that its training stopped "
            "by, which is small and was looked at; those of the baselines on parts that their fits did not see."
        )
    return (
        f"Confidences and sets of the model are calibrated on {parts} of the {INNER_FOLDS} parts of each training side, "
        "each held out from a fit of its own, as long as the judged one, which was stopped by another part. Those of "
        f"the baselines are calibrated on {CALIBRATION_PARTS} parts in the same way, those of the model without condition "
        "fields on the part that its training stopped by."
    )
