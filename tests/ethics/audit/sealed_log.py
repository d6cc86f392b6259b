"""A small sealed log in a database of its own, and the tampering of somebody who owns database and triggers."""

from __future__ import annotations

from django.db import connection
from django.db.backends.utils import CursorWrapper

from ethics import audit
from ethics.audit import AuditContext
from ethics.audit.findings import Problem
from ethics.audit.sealing import seal_round
from ethics.audit.verification import inspect_log
from ethics.models import AuditEvent, AuditLeaf
from ethics.policy import Purpose

GUARDED = (
    "auditevent", "auditleaf", "auditnode", "audithead", "auditsigningkey", "auditverification", "auditarchive",
    "auditidentity", "auditreason",
)  # fmt: skip
ROUNDS = (3, 4, 3)
HEADS = (3, 7, 10)
FLIP = "set_byte({0}, 5, get_byte({0}, 5) # 1)"


class SealedLog:
    """Ten events under heads of 3, 7 and 10 records."""

    def tamper(self, *statements: str) -> None:
        """Change the database as its owner, past its triggers."""
        with connection.cursor() as owner:
            owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in GUARDED:
                owner.execute(f"ALTER TABLE ethics_{table} DISABLE TRIGGER USER")
            for statement in statements:
                owner.execute(statement)

    def drop_constraints(self, table: str) -> None:
        """Drop what the rows of a table have to keep to."""
        with connection.cursor() as owner:
            owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for (statement,) in self._drops(owner, table):
                owner.execute(statement)

    def _drops(self, owner: CursorWrapper, table: str) -> list[tuple[str]]:
        owner.execute(
            "SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I CASCADE', conrelid::regclass, conname)"
            " FROM pg_constraint WHERE conrelid = %s::regclass AND contype <> 'n' UNION ALL"
            " SELECT format('DROP INDEX %%s', indexrelid::regclass) FROM pg_index WHERE indrelid = %s::regclass"
            " AND indisunique AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
            [table, table],
        )
        return list(owner.fetchall())

    def event_id(self, index: int) -> str:
        """The event of a leaf."""
        return str(AuditLeaf.objects.get(index=index).event_id)


def seal(*, rounds: tuple[int, ...] = ROUNDS) -> None:
    """Record and seal so many events a round."""
    number = 0
    for count in rounds:
        for _ in range(count):
            record_one(number)
            number += 1
        seal_round()


def record_one(number: int) -> AuditEvent:
    """A complete event of every field, with texts that JSON has to escape."""
    context = AuditContext(f'mira "{number % 3}" synthetic é\n', "curator", f"client-{number % 2}", f"request-{number}")
    return audit.record(
        "item.lowering_rejected",
        subjects=[f"practice-{number}", 'quoted "subject" \\ é \u2028'],
        communities=["community-b", "community-a"],
        purpose=Purpose.DISPLAY,
        model_sha256="0" * 64,
        reason=f"synthetic reason {number}",
        details={"from": f"sacred {number}", "to": "none é \x07"},
        context=context,
    )


def first_problem() -> Problem:
    report = inspect_log()
    assert report.problems, "nothing was found"
    return report.problems[0]


def all_problems() -> str:
    return "\n".join(map(str, inspect_log().problems))
