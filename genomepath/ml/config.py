"""Hyperparameters of the dual-tower model: two presets, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from genomepath.ml.splits import CALIBRATION_PARTS


class ConfigError(ValueError):
    """A hyperparameter is unknown, of the wrong type or out of range; the message names it."""


@dataclass(frozen=True)
class AugmentationConfig:
    """Which augmentations the training side uses; validation and scoring never use any."""

    dose: bool = True
    synonym: bool = True
    indication_order: bool = True
    target_sampling: bool = True
    max_target_terms: int = 12


@dataclass(frozen=True)
class ModelConfig:
    """One training configuration.

    ``width`` is the encoder's output, ``bridge`` the shared space. ``feedforward`` is not part of the specification;
    twice the width ranks no better than once (docs/model_choices.md) and costs a fifth more of every epoch.
    ``shared_space_weight`` weighs the same BCE on the cosines of the shared-space vectors; the validation loss leaves it
    out. ``listwise_weight`` weighs the listwise loss beside the BCE; ``late_interaction`` and ``link_evidence`` say which
    features the pair scorer has. With a listwise loss, training stops early by that of the validation pairs instead of
    their BCE. ``share_as_new`` is the part of the records that a step treats as if nothing were known of their links.
    ``calibration_parts`` says how many parts of the training side calibrate, each held out from a fit of its own; with 0 it
    is the part that the training stops by. Each costs as much as the training up to its best epoch.
    """

    preset: str = "spec"
    width: int = 512
    layers: int = 4
    heads: int = 8
    feedforward: int = 512
    bridge: int = 256
    bridge_heads: int = 8
    head_hidden: int = 384
    dropout: float = 0.1
    batch_rows: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    epochs: int = 50
    cosine_t_max: int = 50
    clip_norm: float = 1.0
    patience: int = 10
    metrics_every: int = 5
    state_every: int = 5
    tk_to_genomic_weight: float = 0.6
    genomic_to_tk_weight: float = 0.4
    shared_space_weight: float = 0.1
    listwise_weight: float = 1.0
    late_interaction: bool = True
    link_evidence: bool = True
    share_as_new: float = 0.2
    calibration_parts: int = 2
    drop_conditions: bool = False
    augmentation: AugmentationConfig = AugmentationConfig()

    def __post_init__(self) -> None:
        _check(self)

    def to_json(self) -> dict[str, Any]:
        """The configuration as plain JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, payload: Mapping[str, Any]) -> ModelConfig:
        """Rebuild a configuration from ``to_json``.

        Raises:
            ConfigError: an unknown key or a bad value.
        """
        values = dict(payload)
        augmentation = values.pop("augmentation", {})
        _refuse_unknown(values, ModelConfig)
        if not isinstance(augmentation, Mapping):
            raise ConfigError("augmentation must be an object")
        _refuse_unknown(augmentation, AugmentationConfig)
        return cls(**values, augmentation=AugmentationConfig(**augmentation))


_PRESETS: dict[str, dict[str, Any]] = {
    "spec": {},
    "small": {
        "width": 128,
        "layers": 1,
        "feedforward": 256,
        "bridge": 64,
        "head_hidden": 96,
        "learning_rate": 5e-4,
        "calibration_parts": 7,
    },
}

PRESETS: tuple[str, ...] = tuple(_PRESETS)


def preset_config(preset: str, **overrides: Any) -> ModelConfig:
    """The named preset with some hyperparameters replaced.

    Raises:
        ConfigError: an unknown preset, an unknown hyperparameter, or a value out of range.
    """
    if preset not in _PRESETS:
        raise ConfigError(f"unknown preset {preset!r}: choose one of {', '.join(PRESETS)}")
    _refuse_unknown(overrides, ModelConfig)
    return replace(ModelConfig(preset=preset, **_PRESETS[preset]), **overrides)


def _refuse_unknown(values: Mapping[str, Any], kind: type[ModelConfig] | type[AugmentationConfig]) -> None:
    unknown = sorted(set(values) - {field.name for field in fields(kind)})
    if unknown:
        raise ConfigError(f"unknown hyperparameter: {', '.join(unknown)}")


_POSITIVE_INTEGERS = (
    "width",
    "layers",
    "heads",
    "feedforward",
    "bridge",
    "bridge_heads",
    "head_hidden",
    "batch_rows",
    "epochs",
    "cosine_t_max",
    "patience",
    "metrics_every",
    "state_every",
)
# name: (lowest, highest, lowest itself allowed)
_RANGES: dict[str, tuple[float, float, bool]] = {
    "learning_rate": (0.0, 1.0, False),
    "weight_decay": (0.0, 1.0, True),
    "dropout": (0.0, 0.9, True),
    "clip_norm": (0.0, 1e6, False),
    "tk_to_genomic_weight": (0.0, 1.0, True),
    "genomic_to_tk_weight": (0.0, 1.0, True),
    "shared_space_weight": (0.0, 10.0, True),
    "listwise_weight": (0.0, 10.0, True),
    "share_as_new": (0.0, 0.9, True),
}


def _check(config: ModelConfig) -> None:
    if config.preset not in _PRESETS:
        raise ConfigError(f"unknown preset {config.preset!r}: choose one of {', '.join(PRESETS)}")
    for name in _POSITIVE_INTEGERS:
        _check_positive_integer(name, getattr(config, name))
    _check_positive_integer("augmentation.max_target_terms", config.augmentation.max_target_terms)
    parts = config.calibration_parts
    if isinstance(parts, bool) or not isinstance(parts, int) or not 0 <= parts <= CALIBRATION_PARTS:
        raise ConfigError(f"calibration_parts must be an integer from 0 to {CALIBRATION_PARTS}, not {parts!r}")
    for name, (low, high, closed) in _RANGES.items():
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ConfigError(f"{name} must be a number, not {value!r}")
        if not (low <= value <= high) or (value == low and not closed):
            raise ConfigError(f"{name} must lie in {'[' if closed else '('}{low}, {high}], not {value}")
    if config.width % config.heads:
        raise ConfigError(f"width {config.width} is not a multiple of heads {config.heads}")
    if config.bridge % config.bridge_heads:
        raise ConfigError(f"bridge {config.bridge} is not a multiple of bridge_heads {config.bridge_heads}")
    if config.tk_to_genomic_weight + config.genomic_to_tk_weight <= 0:
        raise ConfigError("tk_to_genomic_weight and genomic_to_tk_weight cannot both be 0")


def _check_positive_integer(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name} must be a positive integer, not {value!r}")
