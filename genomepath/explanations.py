"""Why a target was predicted for a practice, or a practice for a target: the curated evidence path, or the nearest evidence
that was learned from, and what each field of the record that was asked about adds to the score."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from correlations.models import Correlation
from correlations.vocabulary import Direction, Dose, ReviewStatus
from ethics import audit
from ethics.attribution import AttributionStatement, attribution_for
from ethics.policy import Audience, Purpose
from genomepath.answers import AnswerFrame, answer_frame, source_content, target_content
from genomepath.asked_practice import asked_practice
from genomepath.models import ModelVersion, Prediction
from genomepath.score_parts import score_content
from genomepath.serving import DEFAULT_DOSE, SubjectNotFound
from genomepath.version_in_service import serving_state

DIRECTION = "explanation"
CURATED = "curated_evidence_path"
NEAREST = "nearest_training_evidence"
MOST_NEIGHBOURS = 3
STATEMENTS = {
    CURATED: "A curator approved this association; the steps lead from the documented use to the target.",
    NEAREST: (
        "No curated path connects the two. The model ranks the target by what it learned from other practices; these are "
        "the nearest approved associations of the target. They are no evidence for this practice."
    ),
}


def explanation_serve(
    *,
    slug: str,
    symbol: str,
    direction: Direction,
    dose: Dose | None,
    audience: Audience,
    context: audit.AuditContext,
    now: datetime,
) -> dict[str, Any]:
    """Explain a published prediction and record whose knowledge the explanation shows.

    ``dose`` is that of a prediction from practice to target; from target to practice there is none.

    Raises:
        NoActiveModel: no model version is in service.
        SubjectNotFound: the practice is absent, or may not be used for predictions or explanations, or the target is
            not predicted for it.
    """
    version, revision = serving_state()
    frame = AnswerFrame(version=version, policy_revision=revision, audience=audience, now=now)
    asked = asked_practice(frame, slug)
    prediction = _prediction(frame, slug, symbol, direction, dose) if asked.may_be_used else None
    own = _may_be_explained(prediction, frame) if prediction is not None else None
    if prediction is None or own is None:
        _record(frame, context, items=[asked.item_public_id], communities=[])
        raise SubjectNotFound
    curated = list(_approved(frame).filter(practice=prediction.practice_id, target=prediction.target_id))
    neighbours = [] if curated else _neighbours(prediction, frame)
    kind = CURATED if curated else NEAREST
    practices = [prediction.practice, *(correlation.practice for correlation, _, _ in neighbours)]
    _record(
        frame,
        context,
        items=[str(practice.item.public_id) for practice in practices],
        communities=[practice.item.community.slug for practice in practices],
    )
    content = answer_frame(frame)
    content["policy"]["purpose"] = Purpose.EXPLANATION.value
    return {
        "practice": {"slug": slug, "title": prediction.practice.title, "attribution": own},
        "target": target_content(prediction.target),
        "direction": prediction.direction,
        "dose": {"level": prediction.dose, "chosen_by": "request" if dose else "default"} if prediction.dose else None,
        "rank": prediction.rank,
        "confidence": round(prediction.confidence, 4),
        "in_set": prediction.in_set,
        "score": score_content(version, prediction),
        "kind": kind,
        "statement": STATEMENTS[kind],
        "paths": _paths(curated),
        "neighbours": [
            {
                "practice": {
                    "slug": correlation.practice.slug,
                    "title": correlation.practice.title,
                    "attribution": attribution,
                },
                "shared_uses": shared,
                "paths": _paths([correlation]),
            }
            for correlation, attribution, shared in neighbours
        ],
        **content,
    }


def _prediction(
    frame: AnswerFrame, slug: str, symbol: str, direction: Direction, dose: Dose | None
) -> Prediction | None:
    found: Prediction | None = (
        Prediction.objects.permitted_for(Purpose.PREDICTION, frame.audience, frame.now)
        .filter(
            model_version=frame.version,
            direction=direction.value,
            practice__slug=slug,
            target__symbol__iexact=symbol,
            dose=(dose or DEFAULT_DOSE).value if direction == Direction.TK_TO_GENOMIC else "",
        )
        .select_related("target", "practice__item__community", "practice__item__attribution")
        .first()
    )
    return found


def _may_be_explained(prediction: Prediction, frame: AnswerFrame) -> AttributionStatement | None:
    return attribution_for(prediction.practice.item, Purpose.EXPLANATION, frame.audience, frame.now)


def _approved(frame: AnswerFrame) -> QuerySet[Correlation]:
    found: QuerySet[Correlation] = (
        Correlation.objects.permitted_for(Purpose.EXPLANATION, frame.audience, frame.now)
        .filter(status=ReviewStatus.APPROVED.value)
        .select_related("practice__item__community", "practice__item__attribution")
        .prefetch_related(
            "evidence",
            "practice__practice_indications__condition",
            "practice__item__item_labels__label",
            "practice__item__consents",
            "practice__item__community__consents",
        )
        .order_by("id")
    )
    return found


def _neighbours(
    prediction: Prediction, frame: AnswerFrame
) -> list[tuple[Correlation, AttributionStatement, list[str]]]:
    """Approved associations of the target that the model learned from: most shared documented uses first."""
    trained_on = ModelVersion.objects.values_list("trained_on", flat=True).get(pk=frame.version.pk)
    candidates = _approved(frame).filter(target=prediction.target_id, practice__item__public_id__in=trained_on)
    own_uses = _uses_of(prediction.practice)
    best: dict[int, tuple[Correlation, AttributionStatement, list[str]]] = {}
    for correlation in candidates.exclude(practice=prediction.practice_id):
        attribution = attribution_for(correlation.practice.item, Purpose.EXPLANATION, frame.audience, frame.now)
        kept = best.get(correlation.practice_id)
        if attribution is not None and (kept is None or kept[0].confidence < correlation.confidence):
            shared = sorted(own_uses & _uses_of(correlation.practice))
            best[correlation.practice_id] = (correlation, attribution, shared)
    ordered = sorted(best.values(), key=lambda entry: (-len(entry[2]), -entry[0].confidence, entry[0].practice.slug))
    return ordered[:MOST_NEIGHBOURS]


def _uses_of(practice: Any) -> set[str]:
    return {entry.condition.name for entry in practice.practice_indications.all()}


def _paths(correlations: Iterable[Correlation]) -> list[dict[str, Any]]:
    """Each way once, with the doses for which it stands."""
    found: dict[str, dict[str, Any]] = {}
    for correlation in correlations:
        steps = correlation.evidence_path
        path = found.setdefault(
            f"{correlation.direction} {steps}",
            {
                "direction": correlation.direction,
                "doses": [],
                "confidence": correlation.confidence,
                "quality": correlation.quality,
                "mechanism": correlation.mechanism,
                "steps": steps,
                "sources": [source_content(source) for source in correlation.evidence.all()],
            },
        )
        path["doses"].append({"level": correlation.dose, "basis": correlation.dose_basis})
    return list(found.values())


def _record(frame: AnswerFrame, context: audit.AuditContext, *, items: list[str], communities: list[str]) -> None:
    audit.record(
        "prediction.explained" if communities else "prediction.refused",
        subjects=list(dict.fromkeys(items)),
        communities=communities,
        purpose=Purpose.EXPLANATION,
        model_sha256=frame.version.sha256,
        details={"direction": DIRECTION},
        context=context,
        policy_revision=frame.policy_revision,
    )
