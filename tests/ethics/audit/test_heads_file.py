"""The heads file lies outside the database: it catches up after a crash, and tells when the database lost its tail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ethics.audit.heads_file import HeadsFileError, LogTailLost, heads_path
from ethics.audit.sealing import seal_round
from ethics.models import AuditHead, AuditLeaf, AuditVerification
from tests.ethics.audit.stored_log import assert_log_is_whole, file_heads, write_events

# The tests that cut the database act as somebody who owns the tables.
pytestmark = [pytest.mark.django_db, pytest.mark.database_owner]
TABLES = ("ethics_auditevent", "ethics_auditleaf", "ethics_auditnode", "ethics_audithead")


@pytest.fixture
def heads() -> Path:
    """The file of a log with three heads."""
    for number in (2, 3, 4):
        write_events(number)
        seal_round()
    return heads_path()


def as_owner(*statements: str) -> None:
    """What somebody does who owns the tables and puts the guards aside."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def cut_database(size: int) -> None:
    as_owner(
        f"DELETE FROM ethics_auditevent event USING ethics_auditleaf leaf "
        f"WHERE leaf.event_id = event.event_id AND leaf.index >= {size}",
        f"DELETE FROM ethics_auditleaf WHERE index >= {size}",
        f"DELETE FROM ethics_audithead WHERE tree_size > {size}",
    )


def test_each_head_is_a_line_for_its_owner_alone(heads: Path) -> None:
    assert [head.tree_size for head in file_heads()] == [2, 5, 9]
    assert heads.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_heads_that_a_crash_kept_from_the_file_are_appended(heads: Path, kept: int) -> None:
    heads.write_bytes(b"".join(heads.read_bytes().splitlines(keepends=True)[:kept]))
    seal_round()
    assert_log_is_whole()


@pytest.mark.parametrize("cut", [1, 40, 250])
def test_a_line_torn_by_a_crash_is_written_again(heads: Path, cut: int) -> None:
    whole = heads.read_bytes()
    heads.write_bytes(whole[:-cut])
    seal_round()
    assert heads.read_bytes() == whole


def test_a_file_that_is_gone_is_written_again(heads: Path) -> None:
    heads.unlink()
    seal_round()
    assert_log_is_whole()


@pytest.mark.parametrize("size", [5, 2, 0])
def test_a_database_that_lost_its_tail_is_not_sealed_over(heads: Path, size: int) -> None:
    cut_database(size)
    write_events(6)
    before = heads.read_bytes()
    with pytest.raises(LogTailLost, match=f"head of 9 events, the database ends at {size}"):
        seal_round()
    assert AuditLeaf.objects.count() == size
    assert heads.read_bytes() == before


def test_the_lost_tail_is_an_alarm_for_the_officers(heads: Path) -> None:
    cut_database(5)
    with pytest.raises(CommandError, match="lost the tail"):
        call_command("seal_audit_log", "--once")
    alarm = AuditVerification.objects.get()
    assert (alarm.ok, alarm.tree_size) == (False, 5)
    assert "lost the tail" in alarm.problem


def test_a_database_with_another_head_of_that_size_is_a_fork(heads: Path) -> None:
    as_owner("UPDATE ethics_audithead SET root_hash = decode(repeat('ab', 32), 'hex') WHERE tree_size = 9")
    with pytest.raises(LogTailLost, match="Fork"):
        seal_round()


def test_the_file_of_another_log_is_not_continued(heads: Path) -> None:
    line = file_heads()[-1]
    heads.write_bytes(heads.read_bytes().replace(line.log_id.encode(), b"f" * 64))
    with pytest.raises(LogTailLost, match="another log"):
        seal_round()


@pytest.mark.parametrize("line", [b"nonsense", b"{}", b"[]", b'{"tree_size": 9}', b"\xff\xfe"])
def test_a_file_whose_last_line_is_no_head_is_not_continued(heads: Path, line: bytes) -> None:
    heads.write_bytes(heads.read_bytes() + line + b"\n")
    write_events(1)
    with pytest.raises(HeadsFileError, match="no head"):
        seal_round()
    assert AuditHead.objects.count() == 3


def test_a_head_that_cannot_be_written_outside_is_written_by_the_next_round(heads: Path) -> None:
    kept = heads.with_name("kept")
    shutil.move(heads, kept)
    write_events(1)
    heads.mkdir()
    with pytest.raises(HeadsFileError):
        seal_round()
    heads.rmdir()
    shutil.move(kept, heads)
    seal_round()
    assert_log_is_whole()
