"""Celery tasks of the default queue."""

from __future__ import annotations

from celery import shared_task

from genomepath.runs import runs_reap_lost


@shared_task(name="genomepath.housekeeping.reap_lost_runs")
def reap_lost_runs() -> int:
    """Queue again the runs whose worker died."""
    return runs_reap_lost()
