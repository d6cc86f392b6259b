"""Targets for a free text about a practice, scored by the active model on onnxruntime, in the web process as in commands.

The answer lists targets alone. It credits the communities whose knowledge the model learned from, as far as the policy
allows their use at this moment, and names no practice. A text that names a protected record or comes close to a withheld
one gets the same answer as a text about nothing known: none (``genomepath.text_admission``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from correlations.vocabulary import Dose
from ethics import audit
from ethics.policy import Audience, Purpose
from genomepath.answers import AnswerFrame, answer_frame
from genomepath.ml.once_encoder import OnceEncoder
from genomepath.ml.snapshot import PracticeRecord
from genomepath.serving import DEFAULT_DOSE, SubjectNotFound
from genomepath.text_admission import text_refusal_record
from genomepath.text_background import TextBackground, backgrounds
from genomepath.text_engine import ModelFolderUnreadable, text_engine
from genomepath.version_in_service import serving_state

MAX_TEXT_BYTES = 100_000
DIRECTION = "text_to_genomic"
CALIBRATION_NOTE = (
    "The confidence is calibrated on held-out pairs of catalogued practices; for a free text it is an orientation only."
)
NO_ANSWER = "No answer can be given for this text."


def text_predict(
    *,
    text: str,
    dose: Dose | None,
    k: int,
    audience: Audience,
    context: audit.AuditContext | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Rank targets for the text and record the answer, or that there was none. The text itself is stored nowhere.

    ``abstained`` is true, and nothing is predicted, for texts that the gate of free text does not admit. They are scored
    all the same, so that the time taken says nothing.

    Raises:
        NoActiveModel: no model version is in service.
        SubjectNotFound: nobody whose knowledge the model learned from may be credited to this audience.
        ModelFolderUnreadable: the model's files are missing or damaged.
    """
    now = now or timezone.now()
    version, revision = serving_state()
    frame = AnswerFrame(version=version, policy_revision=revision, audience=audience, now=now)
    background = backgrounds.of(version, audience=audience, policy_revision=revision, now=now)
    if not background.learned_from:
        raise SubjectNotFound
    level = dose or DEFAULT_DOSE
    engine = text_engine(version)
    encoder = OnceEncoder(engine.encoder)
    ranked = engine.ranked_targets(_record_of(text), level, encoder=encoder)
    verdict = engine.gate.judge(text=text, audience=audience, policy_revision=revision, now=now, encoder=encoder)
    if not verdict.is_answered:
        text_refusal_record(verdict=verdict, model_sha256=version.sha256, policy_revision=revision, context=context)
        return _content(frame, level, dose, k, shown=[], background=None)
    shown = [(symbol, confidence) for symbol, confidence in ranked if symbol in background.targets][:k]
    audit.record(
        "prediction.served",
        subjects=[public_id for public_id, _ in background.learned_from],
        communities=background.communities,
        purpose=Purpose.PREDICTION,
        model_sha256=version.sha256,
        details={"direction": DIRECTION, "count": len(shown)},
        context=context,
        policy_revision=revision,
    )
    return _content(frame, level, dose, k, shown=shown, background=background)


def _record_of(text: str) -> PracticeRecord:
    return PracticeRecord(slug="", title=text, tradition="", indications=(), preparation="", cultural_context="")


def _content(
    frame: AnswerFrame,
    level: Dose,
    asked: Dose | None,
    k: int,
    *,
    shown: list[tuple[str, float]],
    background: TextBackground | None,
) -> dict[str, Any]:
    """The answer; without a background to credit it holds nothing but its frame."""
    return {
        "direction": DIRECTION,
        "dose": {"level": level.value, "chosen_by": "request" if asked else "default"},
        "k": k,
        "abstained": background is None,
        "statement": NO_ANSWER if background is None else "",
        **_predictions(shown, background),
        "learned_from": [] if background is None else list(background.credits),
        "calibration": CALIBRATION_NOTE,
        **answer_frame(frame),
    }


def _predictions(shown: list[tuple[str, float]], background: TextBackground | None) -> dict[str, Any]:
    if background is None:
        return {"predictions": [], "synergies": []}
    return {
        "predictions": [
            {"rank": rank, "target": background.targets[symbol], "confidence": round(confidence, 4)}
            for rank, (symbol, confidence) in enumerate(shown, start=1)
        ],
        "synergies": background.synergies_among([symbol for symbol, _ in shown]),
    }


__all__ = ["CALIBRATION_NOTE", "DIRECTION", "MAX_TEXT_BYTES", "ModelFolderUnreadable", "text_predict"]
