"""Studies of hyperparameters: asked for, their points handed to the ML queue, lost ones found again.

What trains a point is ``genomepath.tuning_execution``. Asked for again with the same data, code and options, a study is the
one that is there: it goes on where it stands, and what is done stays done.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from uuid import UUID, uuid4

from celery import current_app
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from ethics import audit
from genomepath.code_version import code_version
from genomepath.ml.config import ConfigError, preset_config
from genomepath.ml.tuning import GRID, grid_points
from genomepath.models import TuningPoint, TuningStudy
from genomepath.models.tuning import PointState
from genomepath.runs import PRESETS, QUEUE_PATIENCE, heartbeat_limit
from genomepath.snapshot_folders import snapshot_keep
from genomepath.withdrawal import withheld_from_training

logger = logging.getLogger(__name__)

OPEN_STATES = (PointState.WAITING.value, PointState.RUNNING.value)


def tuning_study_find_or_request(
    *,
    preset: str,
    seed: int,
    requested_by: str,
    requested_role: str = "system",
    epochs: int | None = None,
    include_drafts: bool = False,
    grid: Mapping[str, tuple[float, ...]] = GRID,
) -> TuningStudy:
    """The study of what the policy allows for training at this moment, made where there is none yet.

    Raises:
        ValidationError: an unknown preset, a number of epochs out of range, or nothing may be trained on.
    """
    if preset not in PRESETS:
        raise ValidationError({"preset": f"Unknown preset; choose one of {', '.join(PRESETS)}."})
    try:
        config = preset_config(preset, **({} if epochs is None else {"epochs": epochs}))
    except ConfigError as error:
        raise ValidationError({"epochs": str(error)}) from error
    taken, manifest = snapshot_keep(owner=f"tuning-{uuid4()}", include_drafts=include_drafts)
    key = {
        "preset": preset,
        "seed": seed,
        "epochs": config.epochs,
        "include_drafts": include_drafts,
        "data_sha256": manifest["data_sha256"],
        "code_version": code_version(),
    }
    # The same content may be that of an item recorded anew, or come from before studies said what they are trained on.
    TuningStudy.objects.filter(**key).update(trained_on=list(taken.item_public_ids))
    return TuningStudy.objects.filter(**key).first() or tuning_study_request(
        key={**key, "trained_on": list(taken.item_public_ids)},
        grid=grid,
        requested_by=requested_by,
        requested_role=requested_role,
    )


@transaction.atomic
def tuning_study_request(
    *, key: Mapping[str, object], grid: Mapping[str, tuple[float, ...]], requested_by: str, requested_role: str
) -> TuningStudy:
    """Note a study with all its points.

    Raises:
        ValidationError: a field does not fit.
    """
    study = TuningStudy(
        **key,
        requested_by=requested_by,
        requested_role=requested_role or "system",
        request_id=audit.current_context().request_id,
    )
    study.full_clean()
    study.save()
    points = [TuningPoint(study=study, number=number, **point) for number, point in enumerate(grid_points(grid))]
    TuningPoint.objects.bulk_create(points)
    audit.record(
        "tuning.requested", subjects=[study.public_id], details={"preset": study.preset, "points": len(points)}
    )
    return study


@transaction.atomic
def tuning_points_requeue(*, study: TuningStudy | None = None, failed: bool = False) -> int:
    """Hand to the ML queue the points, of a study or of all, that nobody works on and that wait for no worker.

    Such are points never queued, those whose worker stopped reporting, and those whose message was taken up by nobody
    within the patience of runs. ``failed`` opens points again that failed. Returns how many were queued.
    """
    now = timezone.now()
    points = TuningPoint.objects.all() if study is None else TuningPoint.objects.filter(study=study)
    if failed:
        points.filter(state=PointState.FAILED.value).update(state=PointState.WAITING.value, error="", queued_at=None)
        TuningStudy.objects.filter(points__in=points.filter(state=PointState.WAITING.value)).update(finished_at=None)
    silent = Q(state=PointState.RUNNING.value, heartbeat_at__lt=now - heartbeat_limit())
    not_queued = Q(queued_at__isnull=True) | Q(queued_at__lt=now - QUEUE_PATIENCE)
    found = points.select_for_update(skip_locked=True).filter(silent | Q(not_queued, state=PointState.WAITING.value))
    lost = list(found)
    TuningPoint.objects.filter(pk__in=[point.pk for point in lost]).update(
        state=PointState.WAITING.value, queued_at=now
    )
    for point in lost:
        _enqueue_on_commit(point.public_id)
    return len(lost)


def open_points(study: TuningStudy) -> QuerySet[TuningPoint]:
    """The points that are neither done nor failed."""
    return TuningPoint.objects.filter(study=study, state__in=OPEN_STATES)


def is_withheld(study: TuningStudy) -> bool:
    """Whether not all that the study is trained on may be trained on now, or it does not say what that is."""
    return not study.trained_on or bool(withheld_from_training(study.trained_on))


def is_worked_on(study: TuningStudy) -> bool:
    """Whether a process has reported on a point of the study within the limit."""
    fresh = timezone.now() - heartbeat_limit()
    return TuningPoint.objects.filter(study=study, state=PointState.RUNNING.value, heartbeat_at__gt=fresh).exists()


def ml_worker_answers(seconds: float = 2.0) -> bool:
    """Whether a worker of the ML queue is there; a broker that can't be reached has none."""
    try:
        queues = current_app.control.inspect(timeout=seconds).active_queues() or {}
    except BrokerError:
        return False
    return any(queue["name"] == "ml" for served in queues.values() for queue in served)


def _enqueue_on_commit(public_id: UUID) -> None:
    transaction.on_commit(lambda: _enqueue(public_id))


def _enqueue(public_id: UUID) -> None:
    from genomepath.tasks import tune_point

    try:
        tune_point.delay(str(public_id))
    except BrokerError:  # the point waits; it is queued again when the broker is back
        logger.exception("point %s could not be queued now", public_id)
