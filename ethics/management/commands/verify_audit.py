"""`manage.py verify_audit`: whether the audit log is what was sealed; names the first bad record."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ethics.audit import command_audit_context
from ethics.audit.verification import VerificationReport, audit_log_verify


class Command(BaseCommand):
    """Verify the log and keep the result."""

    help = (
        "Verify the audit log: every record against its columns and its leaf, the tree, every signed head, the heads file "
        "outside the database, archived ranges, names and reasons. Exit code 0 when all is right, 1 when anything is not. "
        "The result is kept for the compliance desk."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since-verified",
            action="store_true",
            help="start from the newest head that was verified without findings",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the result; problems in order of the records."""
        with command_audit_context(), tqdm(unit="record", file=sys.stderr, disable=None, delay=1) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            report = audit_log_verify(since_verified=options["since_verified"], progress=progress)
        self.stdout.write(json.dumps(_as_json(report), indent=2) if options["json"] else _as_text(report))
        if not report.ok:
            raise CommandError(f"the audit log is not right: {report.problem_count} problems found")


def _as_text(report: VerificationReport) -> str:
    seconds = (report.finished_at - report.started_at).total_seconds()
    lines = [f"{report.events} records checked in {seconds:.1f} s, from record {report.first} on."]
    lines += [str(problem) for problem in report.problems]
    if report.problem_count > len(report.problems):
        lines.append(f"{report.problem_count - len(report.problems)} more problems are not shown.")
    if report.ok:
        lines.append(f"The log is right up to its signed head of {report.tree_size} records.")
    return "\n".join(lines)


def _as_json(report: VerificationReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "first": report.first,
        "tree_size": report.tree_size,
        "events": report.events,
        "started_at": report.started_at.isoformat(),
        "finished_at": report.finished_at.isoformat(),
        "problem_count": report.problem_count,
        "problems": [
            {
                "what": problem.what,
                "index": problem.index,
                "last_index": problem.last_index,
                "event_id": problem.event_id,
            }
            for problem in report.problems
        ],
    }
