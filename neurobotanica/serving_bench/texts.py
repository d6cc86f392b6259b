"""New texts: an open loop against the server, and the model's own time beside a bare call of its text encoder."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

from correlations.vocabulary import Dose
from genomepath.ml.snapshot import PracticeRecord
from genomepath.models import ModelVersion
from genomepath.text_engine import text_engine
from neurobotanica.serving_bench.load import Series, message, open_loop

PATH = "/api/v1/predictions/texts/targets/"
RATE = 20.0
"""New texts a second."""

_TIMED = 60
_WARM_UP = 16
_PARTS = ("leaves", "seeds", "flowers", "roots", "resin", "stalks")
_PREPARATIONS = ("A tea", "A poultice", "A tincture", "An ointment", "A powder", "A decoction", "A smoke")
_OCCASIONS = (
    "taken at night",
    "taken before a meal",
    "laid on the skin",
    "breathed in",
    "given with honey",
    "kept for winter",
)


@dataclass(frozen=True)
class ModelTime:
    """Medians in milliseconds, in this process: the bare encoder for a text, and the whole model for the same text."""

    encoder_ms: float
    model_ms: float

    @property
    def ratio(self) -> float:
        """How many times the encoder's time the whole model takes."""
        return round(self.model_ms / self.encoder_ms, 2)


def new_texts(count: int) -> list[str]:
    """So many texts, no two alike."""
    described = [
        f"{preparation} of hemp {part}, {occasion}"
        for preparation, part, occasion in product(_PREPARATIONS, _PARTS, _OCCASIONS)
    ]
    return [f"{described[number % len(described)]}, as told in account {number}." for number in range(count)]


def measure_texts(
    *, port: int, headers: Mapping[str, str], count: int, rate: float, on_answer: Callable[[], object]
) -> Series:
    """Ask for ``count`` new texts at ``rate`` a second, after some that load the model."""
    texts = new_texts(count + _WARM_UP)
    sent = [message(PATH, headers, json.dumps({"text": text}).encode()) for text in texts]
    # Over several connections, so that each process of the server gets some.
    open_loop("warm-up", port=port, messages=sent[count:], requests=_WARM_UP, rate=4.0, connections=8)
    return open_loop("new_text", port=port, messages=sent[:count], requests=count, rate=rate, on_answer=on_answer)


def measure_model(version: ModelVersion) -> ModelTime:
    """Encoder and model in turns over the same texts, with one thread, as the web process runs them."""
    engine = text_engine(version)
    encoder, model = [], []
    for number, text in enumerate(new_texts(_TIMED + _WARM_UP)):
        record = PracticeRecord(slug="", title=text, tradition="", indications=(), preparation="", cultural_context="")
        first = _seconds(partial(engine.encoder.encode, [text]))
        second = _seconds(partial(engine.ranked_targets, record, Dose.MEDIUM))
        if number >= _WARM_UP:
            encoder.append(first)
            model.append(second)
    return ModelTime(round(1000 * statistics.median(encoder), 2), round(1000 * statistics.median(model), 2))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
