"""The loop of the sealer's process: a round a second, standby while another leads, an alarm where sealing must stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from django.db import DatabaseError, connection
from django.utils import timezone

from ethics.audit.heads_file import HeadsFileError, LogTailLost
from ethics.audit.proofs import NoProof
from ethics.audit.sealing import Sealer, SealerOutOfStep, TreeBroken
from ethics.audit.signing import AuditKeyError, audit_folder
from ethics.models import AuditHead, AuditVerification

logger = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
ALARM_SECONDS = 30.0
_LONGEST_PROBLEM = 500
REFUSALS = (LogTailLost, TreeBroken, NoProof, AuditKeyError, HeadsFileError, OSError)
"""Why a sealer refuses to go on: the stored log is not the one that was signed, or keys or heads file can't be used."""
_PASSING = (SealerOutOfStep, DatabaseError)


def run_sealer(
    *, stopped: Callable[[], bool], report: Callable[[str], object], interval: float = ROUND_SECONDS
) -> None:
    """Seal until ``stopped``. What is wrong is reported and tried again: a site without its sealer still records."""
    sealer = Sealer()
    leading = False
    while not stopped():
        pause = interval
        try:
            before, leading = leading, sealer.lead()
            if leading:
                sealer.seal()
            if leading and not before:
                report("sealing")
            mark_alive()
        except REFUSALS as refusal:
            sealer.resign()
            leading, pause = False, max(interval, ALARM_SECONDS)
            report(f"error: {refusal}")
            raise_alarm(refusal)
        except _PASSING as error:
            logger.warning("the sealer starts again: %s", next(iter(str(error).splitlines()), type(error).__name__))
            sealer.resign()
            leading = False
        _wait(pause, stopped)
    sealer.resign()


def raise_alarm(refusal: Exception) -> None:
    """Put the refusal among the checks of the log, where the desk shows it; once, not with every round."""
    problem = str(refusal)[:_LONGEST_PROBLEM]
    try:
        newest = AuditVerification.objects.first()
        if newest is None or newest.problem != problem:
            head = AuditHead.objects.first()
            moment = timezone.now()
            AuditVerification.objects.create(
                tree_size=head.tree_size if head else 0,
                started_at=moment,
                finished_at=moment,
                events=0,
                ok=False,
                problem=problem,
            )
    except DatabaseError as error:
        logger.warning("the alarm could not be written: %s", type(error).__name__)
        connection.close()


def alive_path() -> Path:
    """The file whose age tells a health check whether the sealer's rounds go on."""
    return audit_folder() / "sealer.alive"


def mark_alive() -> None:
    """Say that a round has ended well, as leader or on standby."""
    alive_path().touch()


def _wait(seconds: float, stopped: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not stopped() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))
