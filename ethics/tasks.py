"""Celery tasks of the ethics app."""

from __future__ import annotations

from celery import shared_task

from ethics.audit.verification import audit_log_verify


@shared_task(name="ethics.tasks.verify_audit")
def verify_audit(*, whole: bool = False) -> bool:
    """Verify the log since the newest head that was verified, or as a whole; the result is kept for the desk."""
    return audit_log_verify(since_verified=not whole).ok
