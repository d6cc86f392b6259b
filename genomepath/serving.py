"""The one way in which a prediction leaves the platform: gate, cache, audit event, bytes.

The policy revision and the active model are read from the database before anything else, so that an answer cached before
a withdrawal or a promotion can't be found after it: neither in the memory of this process nor in Redis.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from django.utils import timezone
from prometheus_client import Counter

from correlations.vocabulary import Direction, Dose
from ethics import audit
from ethics.policy import Audience, Purpose
from ethics.revisions import Revisions, current_revisions
from genomepath.answer_cache import RenderedAnswer, answer_get, answer_key
from genomepath.answer_memory import AnswerMemory
from genomepath.answer_rendering import answer_render_once, answer_renew
from genomepath.answers import AnswerFrame, BuiltAnswer, practices_for_target, targets_for_practice
from genomepath.asked_practice import asked_practice
from genomepath.validity import kept_until
from genomepath.version_in_service import version_in_service

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
memory = AnswerMemory()


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
    def normalised(self) -> PredictionQuestion:
        """The form under which equal questions are cached together."""
        return replace(self, subject=self.subject.upper()) if self.direction == Direction.GENOMIC_TO_TK else self


def prediction_serve(
    *,
    question: PredictionQuestion,
    audience: Audience,
    context: audit.AuditContext | None = None,
    now: datetime | None = None,
    revisions: Revisions | None = None,
) -> RenderedAnswer:
    """Answer a question for an audience and record that it was answered. Without its audit event no answer is returned.

    Args:
        revisions: those that the request has read already; the present ones where it is None.

    Raises:
        NoActiveModel: no model version is in service.
        SubjectNotFound: the practice or target is absent or withheld.
        django.db.Error: the audit event, or the answer itself, could not be written or read.
    """
    revisions = revisions or current_revisions()
    frame = _frame_of(revisions, audience, now or timezone.now())
    source, answer, refused_item_ids = _remembered(question, frame, revisions.catalogue)
    _record(question, answer, frame, context, refused_item_ids)
    _served.labels(question.direction.value, source if answer else "none").inc()
    if answer is None:
        raise SubjectNotFound
    return answer


def prediction_warm(*, question: PredictionQuestion, audience: Audience) -> bool:
    """Have the cache hold the answer, through the same gate; whether there is one. Nobody is served, so nothing is recorded.

    Raises:
        NoActiveModel: no model version is in service.
    """
    revisions = current_revisions()
    return _fetched(question, _frame_of(revisions, audience, timezone.now()), revisions.catalogue)[1] is not None


_Found = tuple[str, RenderedAnswer | None, list[str]]
"""Where the answer came from, the answer, and what the audit log says of whom it was refused for."""


def _remembered(question: PredictionQuestion, frame: AnswerFrame, catalogue: int) -> _Found:
    """Out of this process where it is there; what is due there is renewed."""
    generation, place = _generation_of(frame), (frame.audience, question.normalised)
    known = memory.get(generation, place, catalogue=catalogue, now=frame.now)
    if known is not None and not known.is_due:
        return "memory", known.answer, []
    if known is None:
        source, answer, refused_item_ids = _fetched(question, frame, catalogue)
    else:
        key = _key_of(question, frame, catalogue)
        answer = answer_renew(
            key, known.answer, lambda: _render(question, frame), frame.now, lambda: _is_current(frame)
        )
        if answer is known.answer:
            return "memory", answer, []
        source, refused_item_ids = "renewal", []
    if answer is not None:
        memory.put(generation, place, answer, catalogue=catalogue)
    return source, answer, refused_item_ids


def _fetched(question: PredictionQuestion, frame: AnswerFrame, catalogue: int) -> _Found:
    key = _key_of(question, frame, catalogue)
    answer = answer_get(key, frame.now)
    if answer is not None:
        return "cache", answer, []
    return "database", *_answer_or_refusal(question, frame, key)


def _frame_of(revisions: Revisions, audience: Audience, now: datetime) -> AnswerFrame:
    return AnswerFrame(
        version=version_in_service(revisions), policy_revision=revisions.policy, audience=audience, now=now
    )


def _generation_of(frame: AnswerFrame) -> tuple[object, ...]:
    return frame.version.sha256, frame.version.provisional, frame.policy_revision


def _key_of(question: PredictionQuestion, frame: AnswerFrame, catalogue: int) -> str:
    return answer_key(
        frame.version.sha256,
        str(frame.version.provisional),
        str(frame.policy_revision),
        str(catalogue),
        frame.audience.value,
        question.direction.value,
        question.normalised.subject,
        question.dose.value if question.dose else "",
        str(question.k),
    )


def _answer_or_refusal(
    question: PredictionQuestion, frame: AnswerFrame, key: str
) -> tuple[RenderedAnswer | None, list[str]]:
    """The answer, or none and what the audit log says of whom it was refused for; the requested name is never stored."""
    item_ids: list[str] = []
    if question.direction == Direction.TK_TO_GENOMIC:
        asked = asked_practice(frame, question.subject)
        item_ids = [asked.item_public_id]
        if not asked.may_be_used:
            return None, item_ids
    answer = answer_render_once(key, lambda: _render(question, frame), frame.now, lambda: _is_current(frame))
    return answer, item_ids


def _is_current(frame: AnswerFrame) -> bool:
    """Whether nothing of the policy has changed since the answer was begun."""
    return current_revisions().policy == frame.policy_revision


def _render(question: PredictionQuestion, frame: AnswerFrame) -> RenderedAnswer | None:
    # Read first: a consent recorded after it raises the policy revision anyway.
    valid_until = kept_until(frame.now, is_asked_often=question.k in {DEFAULT_TARGETS, DEFAULT_PRACTICES})
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
        valid_until=valid_until.isoformat(),
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
