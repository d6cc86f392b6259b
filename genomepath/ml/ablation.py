"""``python -m genomepath.ml.ablation SNAPSHOT``: what each part of the model adds, as Markdown tables.

Every variant is judged on the same outer folds beside the pair-feature stacker. The parts were chosen on inner folds
(docs/model_choices.md); this table is for the reader, not for choosing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from genomepath.ml.baselines import pair_feature_stacker
from genomepath.ml.checkpoint import write_json
from genomepath.ml.config import PRESETS, ModelConfig, preset_config
from genomepath.ml.dataset import build_text_features
from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.evaluation import evaluate
from genomepath.ml.fold_scoring import AnyScorer
from genomepath.ml.performance_targets import estimate_text
from genomepath.ml.results import ScorerResult
from genomepath.ml.snapshot import DIRECTIONS, read_snapshot
from genomepath.ml.training_run import model_scorer

PROTOCOLS = ("P1", "P2", "P3")
_STANDING_STILL = 1e-12
"""A learning rate at which the model stays as it starts."""


def variants(config: ModelConfig) -> Mapping[str, ModelConfig]:
    """The model as it is, and without each of its parts."""
    plain = config.augmentation
    return {
        "model": config,
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
    parser = argparse.ArgumentParser(prog="python -m genomepath.ml.ablation", description=__doc__)
    parser.add_argument("snapshot", type=Path, metavar="SNAPSHOT", help="folder of a training snapshot")
    parser.add_argument("--preset", choices=PRESETS, default="small")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=("P1",), help="P1 unless given")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", help="these variants alone")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the whole result, for evaluate_genomepath --ablation"
    )
    options = parser.parse_args(arguments)
    snapshot = read_snapshot(options.snapshot)
    configs = variants(preset_config(options.preset, calibration_parts=0))
    chosen = {name: config for name, config in configs.items() if options.only is None or name in options.only}
    scorers: dict[str, AnyScorer] = {name: model_scorer(config) for name, config in chosen.items()}
    scorers["pair-feature stacker"] = pair_feature_stacker
    result = evaluate(
        snapshot,
        build_text_features(snapshot, MiniLMEncoder()),
        scorers,
        protocols=options.protocols,
        seeds=options.seeds,
        subject=next(iter(scorers)),
        on_progress=lambda done, total, text: say(f"{done}/{total} {text}"),
    )
    if options.json is not None:
        write_json(options.json, {**result.to_dict(), "preset": options.preset})
    for name, protocol in result.protocols.items():
        say(f"\n{name}\n\n{table(protocol.scorers)}")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
