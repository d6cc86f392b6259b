"""Practices for a gene or findings in the caller's own words, scored by the active model on onnxruntime.

A description that names a protected record, comes close to a withheld one or is close to no known target gets no answer.
That it is far from every known practice says nothing here: it is about a gene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ethics import audit
from ethics.policy import Audience, Purpose
from genomepath.answers import AnswerFrame, answer_frame, practices_for_description
from genomepath.ml.once_encoder import OnceEncoder
from genomepath.ml.snapshot import DiseaseRecord, TargetRecord
from genomepath.text_admission import text_refusal_record
from genomepath.text_engine import text_engine
from genomepath.text_prediction import NO_ANSWER
from genomepath.version_in_service import serving_state

DIRECTION = "described_to_tk"
CALIBRATION_NOTE = (
    "The confidence is calibrated on held-out pairs of catalogued targets; for a gene or findings of your own it is an "
    "orientation only."
)


@dataclass(frozen=True)
class Description:
    """A gene or findings: a name or sentence, and what is known of pathways, tissues and diseases."""

    text: str
    pathways: Sequence[str] = ()
    tissues: Sequence[str] = ()
    diseases: Sequence[str] = ()

    @property
    def parts(self) -> list[str]:
        """All texts of the description."""
        return [self.text, *self.pathways, *self.tissues, *self.diseases]

    def record(self) -> TargetRecord:
        """The description as the model reads a target."""
        return TargetRecord(
            symbol=self.text,
            name=self.text,
            pathways=tuple(self.pathways),
            tissues=tuple(self.tissues),
            diseases=tuple(DiseaseRecord(name) for name in self.diseases),
        )


def described_predict(
    *, description: Description, k: int, audience: Audience, context: audit.AuditContext, now: datetime
) -> dict[str, Any]:
    """Rank permitted practices for the description and record the answer, or that there was none.

    Raises:
        NoActiveModel: no model version is in service.
        ModelFolderUnreadable: the model's files are missing or damaged.
    """
    version, revision = serving_state()
    frame = AnswerFrame(version=version, policy_revision=revision, audience=audience, now=now)
    engine = text_engine(version)
    encoder = OnceEncoder(engine.encoder)
    record = description.record()
    ranked = engine.ranked_practices(record, encoder=encoder)
    text = ". ".join(description.parts)
    verdict = engine.gate.judge(text=text, audience=audience, policy_revision=revision, now=now, encoder=encoder)
    verdict = replace(verdict, is_far=engine.is_far_from_targets(record, encoder=encoder))
    shown, practices = practices_for_description(frame, ranked, k)
    if not verdict.is_answered or not practices:
        text_refusal_record(verdict=verdict, model_sha256=version.sha256, policy_revision=revision, context=context)
        shown = []
    else:
        audit.record(
            "prediction.served",
            subjects=[practice.item.public_id for practice in practices],
            communities=[practice.item.community.slug for practice in practices],
            purpose=Purpose.PREDICTION,
            model_sha256=version.sha256,
            details={"direction": DIRECTION, "count": len(shown)},
            context=context,
            policy_revision=revision,
        )
    return {
        "direction": DIRECTION,
        "k": k,
        "abstained": not shown,
        "statement": "" if shown else NO_ANSWER,
        "predictions": shown,
        "calibration": CALIBRATION_NOTE,
        **answer_frame(frame),
    }
