"""Training the points of a study, each from its take-up to its recorded numbers.

A message delivered twice does no harm: a point that is done is left alone, and so is one with a fresh heartbeat. A process
that was thought dead while another took its point up writes nothing more.

The policy is asked before each point and after each epoch: what was withdrawn since ends the study, wherever it is trained.
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ethics import audit
from ethics.audit import AuditContext, audit_context
from ethics.redaction import without_row_content
from genomepath.artefacts import snapshot_folder
from genomepath.heartbeats import heartbeat
from genomepath.models import TuningPoint, TuningStudy
from genomepath.models.tuning import PointState
from genomepath.runs import heartbeat_limit
from genomepath.tuning import OPEN_STATES, is_withheld, open_points

if TYPE_CHECKING:
    from genomepath.ml.tuning import TuningResult

logger = logging.getLogger(__name__)

WITHHELD = "not all that this study is trained on may still be trained on; asked for again, a study without it begins"
_PAUSE_SECONDS = 1.0


class StudyWithheld(Exception):
    """Something that the study is trained on was withdrawn: no point of it may go on."""


def tuning_study_work(*, public_id: UUID) -> int:
    """Train points of the study in this process until every point has ended; returns how many it trained.

    Where others work on all that is left, it waits: it takes up what they leave behind.
    """
    study, trained = TuningStudy.objects.get(public_id=public_id), 0
    while open_points(study).exists():
        point = _claim(open_points(study))
        if point is None:
            time.sleep(_PAUSE_SECONDS)
            continue
        _execute(point)
        trained += 1
    return trained


def tuning_point_execute(*, public_id: UUID) -> None:
    """Train a point and note what it reached, unless that is done or under way."""
    point = _claim(TuningPoint.objects.filter(public_id=public_id, state__in=OPEN_STATES))
    if point is not None:
        _execute(point)
    else:
        _forget_unneeded(TuningStudy.objects.get(points__public_id=public_id))


@transaction.atomic
def _claim(points: QuerySet[TuningPoint]) -> TuningPoint | None:
    """Take up the first of the points that nobody works on."""
    silent = Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=timezone.now() - heartbeat_limit())
    free = points.filter(Q(state=PointState.WAITING.value) | silent)
    point = free.select_for_update(skip_locked=True, of=("self",)).select_related("study").order_by("number").first()
    if point is None:
        return None
    point.state, point.attempt, point.heartbeat_at = PointState.RUNNING.value, point.attempt + 1, timezone.now()
    point.save(update_fields=["state", "attempt", "heartbeat_at"])
    return point


def _execute(point: TuningPoint) -> None:
    study = point.study
    context = AuditContext(study.requested_by, study.requested_role, request_id=study.request_id)
    with audit_context(context):
        try:
            with heartbeat(lambda: _attempt_of(point).update(heartbeat_at=timezone.now()), str(point.public_id)):
                _refuse_withheld(study)
                result = _train(point)
        except StudyWithheld:
            tuning_study_stop(study=study)
            tuning_point_finish(point=point, state=PointState.FAILED, error=WITHHELD)
        except Exception as error:  # the boundary where every cause becomes a recorded end
            logger.warning("point %s of study %s failed", point.number, study.public_id, exc_info=True)
            cause = without_row_content(f"{type(error).__name__}: {error}").replace("\0", "")[:500]
            tuning_point_finish(point=point, state=PointState.FAILED, error=cause)
        else:
            tuning_point_finish(point=point, state=PointState.DONE, result=asdict(result))
    _forget_unneeded(study)


def _train(point: TuningPoint) -> TuningResult:
    from genomepath.ml.tuning import tune_point, tuning_data

    study = point.study
    data = tuning_data(snapshot_folder(study.data_sha256), study.seed)
    return tune_point(
        data,
        study.preset,
        point.hyperparameters,
        seed=study.seed,
        epochs=study.epochs,
        on_epoch=lambda: _refuse_withheld(study),
    )


def _refuse_withheld(study: TuningStudy) -> None:
    if is_withheld(study):
        raise StudyWithheld


def _forget_unneeded(study: TuningStudy) -> None:
    """Keep a snapshot in memory only while a point waits that may be trained on it."""
    from genomepath.ml.tuning import tuning_data

    if is_withheld(study) or not study.points.filter(state=PointState.WAITING.value).exists():
        tuning_data.cache_clear()


@transaction.atomic
def tuning_study_stop(*, study: TuningStudy) -> int:
    """End the points of a study that nobody works on, because something it is trained on was withdrawn; returns how many.

    A point that a process trains at this moment ends with its epoch: that process asks the policy itself.
    """
    locked = TuningStudy.objects.select_for_update().get(pk=study.pk)
    now = timezone.now()
    silent = Q(state=PointState.RUNNING.value, heartbeat_at__lt=now - heartbeat_limit())
    ended = TuningPoint.objects.filter(Q(state=PointState.WAITING.value) | silent, study=locked).update(
        state=PointState.FAILED.value, error=WITHHELD, finished_at=now
    )
    if ended:
        audit.record(
            "tuning.stopped", subjects=[locked.public_id], reason="withheld from training", details={"points": ended}
        )
        _note_end(locked)
    return ended


@transaction.atomic
def tuning_point_finish(
    *, point: TuningPoint, state: PointState, result: dict[str, float] | None = None, error: str = ""
) -> None:
    """Note the end of a point, and with the last one that of its study. A point taken up elsewhere is left to them."""
    # Whoever ends the last point must see the others': the study's row makes them wait for each other.
    study = TuningStudy.objects.select_for_update().get(pk=point.study_id)
    now = timezone.now()
    ended = _attempt_of(point).update(
        state=state.value, result=result or {}, error=error, finished_at=now, heartbeat_at=now
    )
    if ended:
        _note_end(study)


def _note_end(study: TuningStudy) -> None:
    """With the end of its last point a study has ended, once."""
    if study.finished_at is not None or open_points(study).exists():
        return
    study.finished_at = timezone.now()
    study.save(update_fields=["finished_at"])
    audit.record(
        "tuning.completed",
        subjects=[study.public_id],
        details={
            "data_sha256": study.data_sha256,
            "points": study.points.count(),
            "failed": study.points.filter(state=PointState.FAILED.value).count(),
        },
    )


def _attempt_of(point: TuningPoint) -> QuerySet[TuningPoint]:
    """The row as long as this very attempt works on it; nothing otherwise."""
    return TuningPoint.objects.filter(pk=point.pk, attempt=point.attempt, state=PointState.RUNNING.value)
