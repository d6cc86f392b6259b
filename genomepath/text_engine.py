"""The active model as the web process runs it: onnxruntime on one thread, loaded once for a model version, no torch."""

from __future__ import annotations

import ctypes
import threading
from functools import lru_cache
from pathlib import Path
from subprocess import CalledProcessError

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from correlations.vocabulary import Dose
from genomepath.artefacts import model_folder
from genomepath.ml.calibration import ListCalibration, PlattCalibration
from genomepath.ml.embedding import TextEncoder
from genomepath.ml.encoder_graph import encoder_file
from genomepath.ml.known_targets import FAR_FROM_TARGETS, closest_target, read_known_targets
from genomepath.ml.onnx_encoder import OnnxTextEncoder, logits_alone, one_thread_session
from genomepath.ml.onnx_files import GENOMIC_TO_TK, TK_TO_GENOMIC, record_inputs
from genomepath.ml.published_scores import PublishedScoresError, read_published_scores
from genomepath.ml.records import practice_features, target_features
from genomepath.ml.snapshot import DOSES, PracticeRecord, TargetRecord
from genomepath.models import ModelVersion
from genomepath.text_admission import TextGate


class ModelFolderUnreadable(Exception):
    """The files of the active model are missing or damaged."""


class TextEngine:
    """One model version, ready to score what is not in the catalogue."""

    def __init__(self, folder: Path, encoder: OnnxTextEncoder) -> None:
        scores = read_published_scores(folder)
        self.encoder = encoder
        self.gate = TextGate(encoder)
        self._targets, self._practices = scores.targets, scores.practices
        self._known_targets = read_known_targets(folder)
        self._to_targets = one_thread_session(folder / TK_TO_GENOMIC)
        self._to_practices = one_thread_session(folder / GENOMIC_TO_TK)
        self._curves = scores.curves

    def ranked_targets(
        self, record: PracticeRecord, dose: Dose, *, encoder: TextEncoder | None = None
    ) -> list[tuple[str, float]]:
        """HGNC symbols of all targets of the model with their confidence, from the highest logit down.

        ``encoder`` may be one over this engine's that knows texts of the record already.
        """
        inputs = record_inputs(practice_features(record, encoder or self.encoder), in_catalogue=False)
        level = DOSES.index(dose.value)
        inputs["dose"] = np.array([level], dtype=np.int64)
        return _ranked(self._targets, logits_alone(self._to_targets, inputs)[0], self._curves.tk_to_genomic[level])

    def ranked_practices(self, record: TargetRecord, *, encoder: TextEncoder | None = None) -> list[tuple[str, float]]:
        """Slugs of all practices of the model with their confidence. What may not be shown is among them."""
        inputs = record_inputs(target_features(record, encoder or self.encoder), in_catalogue=False)
        return _ranked(self._practices, logits_alone(self._to_practices, inputs)[0], self._curves.genomic_to_tk)

    def is_far_from_targets(self, record: TargetRecord, *, encoder: TextEncoder | None = None) -> bool:
        """Whether a description is close to no target that the model knows; never for a model that keeps no texts of its
        targets, as it was trained before that."""
        if self._known_targets is None:
            return False
        return closest_target(record, encoder or self.encoder, self._known_targets) < FAR_FROM_TARGETS


_lock = threading.Lock()


def text_engine(version: ModelVersion) -> TextEngine:
    """The engine of a version; loading one takes about a second, once a process.

    Raises:
        ModelFolderUnreadable: files are missing or damaged.
    """
    with _lock:
        try:
            return _engine(str(model_folder(version)), version.sha256)
        except (
            PublishedScoresError,
            CalledProcessError,
            OSError,
            KeyError,
            TypeError,
            ValueError,
            RuntimeError,
        ) as error:
            raise ModelFolderUnreadable(type(error).__name__) from error
        except Exception as error:
            if type(error).__module__.startswith("onnxruntime"):
                raise ModelFolderUnreadable(type(error).__name__) from error
            raise


@lru_cache(maxsize=1)
def text_encoder(folder: str) -> OnnxTextEncoder:
    """The encoder of this process; its graph is written to ``folder`` where it is missing."""
    return OnnxTextEncoder(encoder_file(Path(folder)))


@lru_cache(maxsize=2)
def _engine(folder: str, sha256: str) -> TextEngine:
    engine = TextEngine(Path(folder), text_encoder(str(settings.TEXT_ENCODER_FOLDER)))
    # Files that load may still not fit each other; what can't score these is not kept.
    engine.ranked_targets(PracticeRecord("", "a trial", "", (), "", ""), Dose.MEDIUM)
    engine.ranked_practices(TargetRecord("", "a trial", (), (), ()))
    _return_freed_memory()
    return engine


def _return_freed_memory() -> None:
    """Give back what was needed for loading alone; glibc would keep it, 37 MiB a process."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _ranked(
    names: tuple[str, ...], logits: NDArray[np.float32], curve: PlattCalibration | ListCalibration
) -> list[tuple[str, float]]:
    if logits.shape != (len(names),):
        raise ValueError("the scores do not have the shape of the catalogue")
    confidence = curve.probability(logits)
    order = np.argsort(-logits, kind="stable")
    return [(names[index], float(confidence[index])) for index in order]
