"""Celery tasks of the ML queue: fetch, call the service. The ML worker alone imports torch, inside the services."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from genomepath.run_execution import run_execute
from genomepath.tuning_execution import tuning_point_execute


@shared_task(name="genomepath.tasks.execute_run", acks_late=True, reject_on_worker_lost=True)
def execute_run(public_id: str) -> None:
    """Carry out a run. Delivered twice, it is done once."""
    run_execute(public_id=UUID(public_id))


@shared_task(name="genomepath.tasks.tune_point", acks_late=True, reject_on_worker_lost=True)
def tune_point(public_id: str) -> None:
    """Train one point of a grid. Delivered twice, it is done once."""
    tuning_point_execute(public_id=UUID(public_id))
