from __future__ import annotations

import pytest

from genomepath.ml.config import ConfigError, ModelConfig, preset_config


def test_spec_preset_has_the_specified_sizes():
    config = preset_config("spec")
    assert (config.width, config.layers, config.heads, config.bridge, config.bridge_heads) == (512, 4, 8, 256, 8)
    assert (config.head_hidden, config.batch_rows, config.learning_rate, config.weight_decay) == (384, 32, 1e-4, 0.01)
    assert (config.epochs, config.cosine_t_max, config.patience, config.metrics_every) == (50, 50, 10, 5)
    assert (config.tk_to_genomic_weight, config.genomic_to_tk_weight) == (0.6, 0.4)
    assert (config.dropout, config.clip_norm) == (0.1, 1.0)


def test_configuration_survives_json():
    config = preset_config("small", learning_rate=1e-3, drop_conditions=True)
    assert ModelConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"dropout": 1.0}, "dropout"),
        ({"epochs": 0}, "epochs"),
        ({"batch_rows": 2.5}, "batch_rows"),
        ({"layers": True}, "layers"),
        ({"width": 100}, "width"),
        ({"bridge": 100}, "bridge"),
        ({"tk_to_genomic_weight": 0.0, "genomic_to_tk_weight": 0.0}, "cannot both be 0"),
        ({"momentum": 0.9}, "momentum"),
        ({"calibration_parts": -1}, "calibration_parts must be an integer from 0 to 7"),
        ({"calibration_parts": 8}, "calibration_parts must be an integer from 0 to 7"),
        ({"calibration_parts": True}, "calibration_parts must be an integer from 0 to 7"),
    ],
)
def test_a_bad_hyperparameter_is_refused_by_name(overrides, named):
    with pytest.raises(ConfigError, match=named):
        preset_config("spec", **overrides)


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="choose one of spec, small"):
        preset_config("huge")


def test_an_unknown_augmentation_is_refused():
    payload = preset_config("small").to_json()
    payload["augmentation"]["mixup"] = True
    with pytest.raises(ConfigError, match="mixup"):
        ModelConfig.from_json(payload)
