"""The one way in which a prediction leaves the platform: gate, cache, audit event, bytes.

The policy revision and the active model are read from the database before anything else, so that an answer cached before
a withdrawal or a promotion can't be found after it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import orjson
from django.db.models import Subquery
from django.utils import timezone
from prometheus_client import Counter

from correlations.vocabulary import Direction, Dose
from ethics import audit
from ethics.models import PolicyRevision
from ethics.policy import Audience, Purpose
from genomepath.answer_cache import RenderedAnswer, answer_get, answer_key, answer_put
from genomepath.answers import AnswerFrame, BuiltAnswer, practices_for_target, targets_for_practice
from genomepath.asked_practice import asked_practice
from genomepath.consent_periods import next_consent_boundary
from genomepath.models import ModelVersion
from genomepath.models.model_version import VersionState

DEFAULT_DOSE = Dose.MEDIUM
DEFAULT_TARGETS = 10
DEFAULT_PRACTICES = 8
# A fixed bound: one that followed the catalogue would tell how many practices are withheld.
MAX_K = 100

_served = Counter(
    "genomepath_predictions_total",
    "Predictions asked for, by direction and by where the answer came from.",
    ["direction", "source"],
)


class NoActiveModel(Exception):
    """No model version is in service."""


class SubjectNotFound(Exception):
    """The practice or target does not exist, or may not be used; the two are told apart nowhere."""


@dataclass(frozen=True)
class PredictionQuestion:
    """What is asked: a practice by slug, or a target by HGNC symbol (in any case). ``dose`` None means the default."""

    direction: Direction
    subject: str
    k: int
    dose: Dose | None = None

    @property
    def normalised_subject(self) -> str:
        """The form under which equal questions are cached together."""
        return self.subject.upper() if self.direction == Direction.GENOMIC_TO_TK else self.subject


def prediction_serve(
    *,
    question: PredictionQuestion,
    audience: Audience,
    context: audit.AuditContext | None = None,
    now: datetime | None = None,
) -> RenderedAnswer:
    """Answer a question for an audience and record that it was answered. Without its audit event no answer is returned.

    Raises:
        NoActiveModel: no model version is in service.
        SubjectNotFound: the practice or target is absent or withheld.
        django.db.Error: the audit event, or the answer itself, could not be written or read.
    """
    now = now or timezone.now()
    version, revision = serving_state()
    frame = AnswerFrame(version=version, policy_revision=revision, audience=audience, now=now)
    key = answer_key(
        version.sha256,
        str(version.provisional),
        str(revision),
        audience.value,
        question.direction.value,
        question.normalised_subject,
        question.dose.value if question.dose else "",
        str(question.k),
    )
    answer = answer_get(key, now)
    source = "cache"
    refused_item_ids: list[str] = []
    if answer is None:
        source = "database"
        answer, refused_item_ids = _answer_or_refusal(question, frame)
        if answer is not None:
            answer_put(key, answer, now)
    _record(question, answer, frame, context, refused_item_ids)
    _served.labels(question.direction.value, source if answer else "none").inc()
    if answer is None:
        raise SubjectNotFound
    return answer


def serving_state() -> tuple[ModelVersion, int]:
    """The active version and the policy revision, in one query.

    Raises:
        NoActiveModel: no model version is in service.
    """
    revision = PolicyRevision.objects.filter(pk=PolicyRevision.SINGLETON_ID).values("value")
    version = (
        ModelVersion.objects.filter(state=VersionState.ACTIVE.value)
        .only("id", "sha256", "preset", "provisional", "data_sha256", "folder", "snapshot_folder")
        .annotate(policy_revision=Subquery(revision))
        .first()
    )
    if version is None:
        raise NoActiveModel
    return version, version.policy_revision


def _answer_or_refusal(question: PredictionQuestion, frame: AnswerFrame) -> tuple[RenderedAnswer | None, list[str]]:
    """The answer, or none and what the audit log says of whom it was refused for; the requested name is never stored."""
    if question.direction == Direction.GENOMIC_TO_TK:
        return _render(question, frame), []
    asked = asked_practice(frame, question.subject)
    return (_render(question, frame) if asked.may_be_used else None), [asked.item_public_id]


def _render(question: PredictionQuestion, frame: AnswerFrame) -> RenderedAnswer | None:
    # The boundary is read first: a consent recorded after it raises the policy revision anyway.
    boundary = next_consent_boundary(frame.now)
    built: BuiltAnswer | None
    if question.direction == Direction.TK_TO_GENOMIC:
        built = targets_for_practice(
            frame,
            slug=question.subject,
            dose=question.dose or DEFAULT_DOSE,
            dose_chosen_by="request" if question.dose else "default",
            k=question.k,
        )
    else:
        built = practices_for_target(frame, symbol=question.subject, k=question.k)
    if built is None:
        return None
    body = orjson.dumps(built.content)
    return RenderedAnswer(
        body=body,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        item_ids=built.item_ids,
        communities=built.communities,
        count=built.count,
        valid_until=boundary.isoformat() if boundary else "",
    )


def _record(
    question: PredictionQuestion,
    answer: RenderedAnswer | None,
    frame: AnswerFrame,
    context: audit.AuditContext | None,
    refused_item_ids: list[str],
) -> None:
    if answer is not None and answer.item_ids:
        audit.record(
            "prediction.served",
            subjects=answer.item_ids,
            communities=answer.communities,
            purpose=Purpose.PREDICTION,
            model_sha256=frame.version.sha256,
            details={"direction": question.direction.value, "count": answer.count},
            context=context,
            policy_revision=frame.policy_revision,
        )
        return
    audit.record(
        "prediction.refused",
        subjects=refused_item_ids,
        purpose=Purpose.PREDICTION,
        model_sha256=frame.version.sha256,
        details={"direction": question.direction.value},
        context=context,
        policy_revision=frame.policy_revision,
    )
