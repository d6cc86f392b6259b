"""``python -m genomepath.ml.ablation SNAPSHOT``: what each part of the model adds, as Markdown tables.

Every variant is judged on the same outer folds beside the pair-feature stacker. The parts were chosen on inner folds
(docs/model_choices.md); this table is for the reader, not for choosing.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace

from genomepath.ml.baselines import pair_feature_stacker
from genomepath.ml.command_line import (
    add_judging_options,
    failures_told,
    judging_options,
    result_write,
    say,
    snapshot_to_judge,
)
from genomepath.ml.config import ModelConfig, preset_config
from genomepath.ml.dataset import build_text_features
from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.evaluation import SUBJECT, evaluate
from genomepath.ml.fold_scoring import AnyScorer
from genomepath.ml.performance_targets import estimate_text
from genomepath.ml.results import ScorerResult
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.ml.training_run import model_scorer

_STANDING_STILL = 1e-12
"""A learning rate at which the model stays as it starts."""


def variants(config: ModelConfig) -> Mapping[str, ModelConfig]:
    """The model as it is, and without each of its parts."""
    plain = config.augmentation
    return {
        SUBJECT: config,
        "pair scorer alone, as it starts": replace(config, learning_rate=_STANDING_STILL, epochs=1),
        "without link evidence": replace(config, link_evidence=False),
        "without late interaction": replace(config, late_interaction=False),
        "towers alone": replace(config, late_interaction=False, link_evidence=False),
        "towers alone, BCE alone": replace(config, late_interaction=False, link_evidence=False, listwise_weight=0.0),
        "BCE alone": replace(config, listwise_weight=0.0),
        **{
            f"without {name.replace('_', ' ')} augmentation": replace(
                config, augmentation=replace(plain, **{name: False})
            )
            for name in ("dose", "synonym", "indication_order", "target_sampling")
        },
    }


def table(results: Mapping[str, ScorerResult]) -> str:
    """One line a variant, percent with 95% intervals."""
    lines = ["| | TK→G accuracy@5 | TK→G MRR | G→TK accuracy@3 | G→TK MRR | consistency |", "| --- " * 6 + "|"]
    for name, result in results.items():
        forward, backward = (result.directions[way] for way in DIRECTIONS)
        cells = (forward.accuracy["5"], forward.mrr, backward.accuracy["3"], backward.mrr, result.consistency)
        lines.append(f"| {name} | " + " | ".join(estimate_text(cell) for cell in cells) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table a protocol for a snapshot folder."""
    parser = _parser()
    options = judging_options(parser, arguments)
    with failures_told(parser):
        snapshot = snapshot_to_judge(options)
        result = evaluate(
            snapshot,
            build_text_features(snapshot, MiniLMEncoder()),
            scorers(preset_config(options.preset, calibration_parts=0), options.only),
            protocols=options.protocols,
            seeds=options.seeds,
            subject=SUBJECT,
            on_progress=lambda done, total, text: say(f"{done}/{total} {text}"),
        )
    for name, protocol in result.protocols.items():
        say(f"\n{name}\n\n{table(protocol.scorers)}")
    result_write(parser, options.json, {**result.to_dict(), "preset": options.preset})


def scorers(config: ModelConfig, only: Sequence[str] | None = None) -> dict[str, AnyScorer]:
    """The model, its variants (``only`` these, where given) and the stacker. The model is the one that all are compared
    with, so it is never left out."""
    chosen: dict[str, AnyScorer] = {
        name: model_scorer(variant)
        for name, variant in variants(config).items()
        if only is None or name in {SUBJECT, *only}
    }
    return {**chosen, "pair-feature stacker": pair_feature_stacker}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m genomepath.ml.ablation", description=__doc__)
    add_judging_options(parser, protocols=("P1",), report_option="--ablation")
    names = tuple(variants(preset_config("small")))
    parser.add_argument(
        "--only",
        nargs="+",
        choices=names,
        metavar="VARIANT",
        help=f"these variants alone, beside the model and the stacker: {'; '.join(names[1:])}",
    )
    return parser


if __name__ == "__main__":
    main()
