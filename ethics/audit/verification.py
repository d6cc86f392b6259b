"""Verifies the audit log: every record, the tree over them, every signed head, the heads file, and what stands beside.

The log is read in one snapshot of the database, so that a working sealer doesn't disturb it, and in constant memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from ethics.audit.archive_files import ArchiveShelf
from ethics.audit.findings import Findings, Problem
from ethics.audit.head_checks import HeadChecks
from ethics.audit.heads_file_checks import HeadsFileChecks
from ethics.audit.proofs import NoProof, stored_frontier
from ethics.audit.record_checks import Progress, RecordChecks
from ethics.audit.recording import DetailValue, record
from ethics.audit.table_checks import check_all_sealed, check_commitments, check_sealed_once
from ethics.audit.tree import Frontier
from ethics.models import AuditHead, AuditVerification

MOST_CHARACTERS = 500
"""Of a problem, as `AuditVerification` keeps it."""


@dataclass(frozen=True)
class VerificationReport:
    """What one verification saw: records ``first`` up to ``tree_size`` (exclusive), and the problems by place."""

    first: int
    tree_size: int
    events: int
    started_at: datetime
    finished_at: datetime
    problems: tuple[Problem, ...]
    problem_count: int

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problem_count


def audit_log_verify(*, since_verified: bool = False, progress: Progress | None = None) -> VerificationReport:
    """Verify the log and keep the result: a row that the desk shows, and an event.

    ``since_verified`` starts from the newest head that a verification without findings reached; older records are taken as
    they were found then. ``progress`` is told the numbers of records checked and to check.
    """
    report = inspect_log(since_verified=since_verified, progress=progress)
    verification_record(report=report)
    return report


@transaction.atomic
def verification_record(*, report: VerificationReport) -> AuditVerification:
    """Keep what a verification found: the row that the desk shows, and the event."""
    checked: dict[str, DetailValue] = {"tree_size": report.tree_size, "events": report.events}
    if report.ok:
        record("audit.verified", details=checked)
    else:
        found = {"problems": report.problem_count, "first_bad_record": report.problems[0].index}
        record("audit.verification_failed", details=checked | found)
    return AuditVerification.objects.create(
        tree_size=report.tree_size,
        started_at=report.started_at,
        finished_at=report.finished_at,
        events=report.events,
        ok=report.ok,
        problem=str(report.problems[0])[:MOST_CHARACTERS] if report.problems else "",
    )


def inspect_log(*, since_verified: bool = False, progress: Progress | None = None) -> VerificationReport:
    """Verify the log without keeping the result."""
    started_at = timezone.now()
    findings = Findings()
    # Before the snapshot: what the file holds by now, the database must hold; it may hold newer heads.
    heads_file = HeadsFileChecks(findings)
    with _snapshot():
        heads = HeadChecks(findings)
        verified = _check_not_shorter(findings)
        frontier = _edge(verified, heads, findings) if since_verified else Frontier()
        shelf = ArchiveShelf(findings)
        records = RecordChecks(findings, heads, shelf, frontier)
        first = frontier.size
        shelf.check_files(whole=not since_verified)
        records.run(progress or _silent)
        heads_file.run(heads, from_size=first)
        check_sealed_once(findings, from_index=first)
        check_all_sealed(findings, allowed_lag=timedelta(seconds=settings.AUDIT_ALLOWED_LAG_SECONDS))
        check_commitments(findings)
    return VerificationReport(
        first=first,
        tree_size=records.signed_size,
        events=records.checked,
        started_at=started_at,
        finished_at=timezone.now(),
        problems=tuple(findings.in_order()),
        problem_count=findings.count,
    )


def _check_not_shorter(findings: Findings) -> int:
    """The largest size that a verification without findings reached; the log must still have it."""
    verified = AuditVerification.objects.filter(ok=True).aggregate(size=Max("tree_size"))["size"] or 0
    size = AuditHead.objects.aggregate(size=Max("tree_size"))["size"] or 0
    if size < verified:
        findings.add(
            f"the log was verified up to {verified} records before; its last head is of {size}",
            index=size,
            last_index=verified - 1,
        )
    return verified


def _edge(size: int, heads: HeadChecks, findings: Findings) -> Frontier:
    """The edge of the stored tree at the verified head of that size, held to its signed root; an empty one, so that the
    whole log is verified, where it no longer gives that root."""
    head = AuditHead.objects.filter(tree_size=size).first()
    if head is None:
        return Frontier()
    try:
        frontier = stored_frontier(size)
    except NoProof as error:
        findings.add(f"the log was verified up to {size} records; now {error}")
        return Frontier()
    if frontier.root() != bytes(head.root_hash) or heads.problem_of(head):
        findings.add(f"the stored tree no longer gives the verified head of {size} records")
        return Frontier()
    return frontier


@contextmanager
def _snapshot() -> Iterator[None]:
    """One snapshot for all reads. Inside a caller's transaction that one is used as it is."""
    own = not connection.in_atomic_block
    with transaction.atomic():
        if own:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _silent(done: int, total: int) -> None:
    """No progress is shown."""
