"""Celery tasks of the default queue."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from genomepath.answer_warming import answers_warm
from genomepath.prediction_restoring import predictions_restore
from genomepath.runs import runs_reap_lost
from genomepath.tuning import tuning_points_requeue
from genomepath.withdrawal import models_mark_withheld
from genomepath.withdrawal_processing import withdrawals_process


@shared_task(name="genomepath.housekeeping.reap_lost_runs")
def reap_lost_runs() -> int:
    """Queue again the runs whose worker died."""
    return runs_reap_lost()


@shared_task(name="genomepath.housekeeping.requeue_lost_points")
def requeue_lost_points() -> int:
    """Queue again the points of grids whose worker or message was lost."""
    return tuning_points_requeue()


@shared_task(name="genomepath.housekeeping.mark_withheld_models")
def mark_withheld_models() -> int:
    """Mark the models whose knowledge left use without anybody acting, such as by the end of a consent."""
    return models_mark_withheld()


@shared_task(name="genomepath.housekeeping.restore_predictions")
def restore_predictions() -> int:
    """Publish again what a withdrawal deleted and may be shown by now."""
    return predictions_restore()


@shared_task(name="genomepath.housekeeping.warm_answers")
def warm_answers() -> int:
    """Render the first answers of a model that came into service."""
    return answers_warm()


@shared_task(name="genomepath.housekeeping.process_withdrawals")
def process_withdrawals(patience_seconds: float = 0.0) -> int:
    """Carry every withdrawal as far as it can go, consents that ended by the clock included."""
    return withdrawals_process(patience=timedelta(seconds=patience_seconds))
