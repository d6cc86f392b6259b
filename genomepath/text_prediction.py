"""Targets for a free text about a practice, scored by the active model on onnxruntime, in the web process as in commands.

The answer lists targets alone. It credits the communities whose knowledge the model learned from, as far as the policy
allows their use at this moment, and names no practice. A text that names a protected record or comes close to a withheld
one gets the same answer as a text about nothing known: none (``genomepath.text_admission``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from correlations.models import GenomicTarget
from correlations.vocabulary import Dose
from ethics import audit
from ethics.models import Community, GovernedItem
from ethics.policy import Audience, Purpose
from genomepath.answers import AnswerFrame, answer_frame, synergies_among, target_content
from genomepath.ml.snapshot import PracticeRecord
from genomepath.models import ModelVersion
from genomepath.serving import DEFAULT_DOSE, SubjectNotFound
from genomepath.text_admission import text_refusal_record
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
    trained_on = ModelVersion.objects.values_list("trained_on", flat=True).get(pk=version.pk)
    items = GovernedItem.objects.permitted_for(Purpose.PREDICTION, audience, now).filter(public_id__in=trained_on)
    learned_from = list(items.values_list("public_id", "community__slug"))
    if not learned_from:
        raise SubjectNotFound
    communities = sorted({slug for _, slug in learned_from})
    level = dose or DEFAULT_DOSE
    engine = text_engine(version)
    ranked = engine.ranked_targets(_record_of(text), level)
    verdict = engine.gate.judge(text=text, audience=audience, policy_revision=revision, now=now)
    if not verdict.is_answered:
        text_refusal_record(verdict=verdict, model_sha256=version.sha256, policy_revision=revision, context=context)
        return _content(frame, level, dose, k, shown=[], communities=[])
    known = GenomicTarget.objects.in_bulk([symbol for symbol, _ in ranked], field_name="symbol")
    shown = [(known[symbol], confidence) for symbol, confidence in ranked if symbol in known][:k]
    audit.record(
        "prediction.served",
        subjects=[public_id for public_id, _ in learned_from],
        communities=communities,
        purpose=Purpose.PREDICTION,
        model_sha256=version.sha256,
        details={"direction": DIRECTION, "count": len(shown)},
        context=context,
        policy_revision=revision,
    )
    return _content(frame, level, dose, k, shown=shown, communities=communities)


def _record_of(text: str) -> PracticeRecord:
    return PracticeRecord(slug="", title=text, tradition="", indications=(), preparation="", cultural_context="")


def _content(
    frame: AnswerFrame,
    level: Dose,
    asked: Dose | None,
    k: int,
    *,
    shown: list[tuple[GenomicTarget, float]],
    communities: list[str],
) -> dict[str, Any]:
    """The answer; without communities to credit it holds nothing but its frame."""
    return {
        "direction": DIRECTION,
        "dose": {"level": level.value, "chosen_by": "request" if asked else "default"},
        "k": k,
        "abstained": not communities,
        "statement": "" if communities else NO_ANSWER,
        **_predictions(shown),
        "learned_from": _credits(communities),
        "calibration": CALIBRATION_NOTE,
        **answer_frame(frame),
    }


def _predictions(shown: list[tuple[GenomicTarget, float]]) -> dict[str, Any]:
    return {
        "predictions": [
            {"rank": rank, "target": target_content(target), "confidence": round(confidence, 4)}
            for rank, (target, confidence) in enumerate(shown, start=1)
        ],
        "synergies": synergies_among([target.pk for target, _ in shown]),
    }


def _credits(communities: list[str]) -> list[dict[str, str]]:
    return [
        {"slug": community.slug, "name": community.name, "statement": community.statement}
        for community in Community.objects.filter(slug__in=communities)
    ]


__all__ = ["CALIBRATION_NOTE", "DIRECTION", "MAX_TEXT_BYTES", "ModelFolderUnreadable", "text_predict"]
