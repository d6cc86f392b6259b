"""Whoever owns database and heads file changes heads and keys: each change is found, and its place is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethics.audit.sealing import seal_round
from ethics.audit.signing import audit_key_rotate
from ethics.audit.verification import inspect_log
from tests.ethics.audit.heads_file_lines import add_line, change_line, cut_file, lines, write_lines
from tests.ethics.audit.sealed_log import FLIP, HEADS, SealedLog, all_problems, first_problem, record_one

pytestmark = pytest.mark.database_owner

HEAD_CHANGES = {
    "tree_size": "6",
    "root_hash": FLIP.format("root_hash"),
    "signed_at": "signed_at + interval '1 second'",
    "key_id": "'0000000000000000'",
    "signature": FLIP.format("signature"),
}


@pytest.mark.parametrize("column", HEAD_CHANGES)
def test_one_byte_changed_in_a_head(column: str, sealed_log: SealedLog) -> None:
    sealed_log.drop_constraints("ethics_audithead")
    sealed_log.tamper(f"UPDATE ethics_audithead SET {column} = {HEAD_CHANGES[column]} WHERE tree_size = {HEADS[1]}")
    problem = first_problem()
    assert (problem.index, "head of" in problem.what) == (HEADS[0], True)


def test_a_fork_in_the_table(sealed_log: SealedLog) -> None:
    """Two heads of one size, the second with another root."""
    sealed_log.drop_constraints("ethics_audithead")
    sealed_log.tamper(
        "INSERT INTO ethics_audithead (id, tree_size, root_hash, signed_at, key_id, signature, sealed_below) "
        f"SELECT id + 100, tree_size, {FLIP.format('root_hash')}, signed_at, key_id, signature, sealed_below "
        f"FROM ethics_audithead WHERE tree_size = {HEADS[1]}"
    )
    problem = first_problem()
    assert (problem.index, problem.what) == (HEADS[1] - 1, "fork: a second head of 7 events")


def test_a_fork_between_table_and_file(sealed_log: SealedLog, log_folder: Path) -> None:
    change_line(log_folder, 1, root_hash="0" * 64)
    problem = first_problem()
    assert (problem.index, problem.last_index) == (HEADS[0], HEADS[1] - 1)
    assert "fork: table and line 2 of the heads file" in problem.what


def test_a_fork_within_the_file(sealed_log: SealedLog, log_folder: Path) -> None:
    add_line(log_folder, {**lines(log_folder)[2], "root_hash": "0" * 64})
    assert "fork: line 4 of the heads file is a second head of 10 events" in first_problem().what


def test_records_added_with_a_recomputed_tree_but_an_unsigned_head(sealed_log: SealedLog) -> None:
    """The whole way of the sealer, with a signature that is none."""
    added = record_one(99)
    seal_round()
    sealed_log.tamper("UPDATE ethics_audithead SET signature = repeat('x', 64)::bytea WHERE tree_size = 11")
    problem = first_problem()
    assert problem.index == HEADS[2]
    assert "does not have a right signature" in problem.what
    assert f"event {added.event_id}: no rightly signed head covers these records" in all_problems()


def test_records_added_without_any_head(sealed_log: SealedLog) -> None:
    added = record_one(99)
    seal_round()
    sealed_log.tamper("DELETE FROM ethics_audithead WHERE tree_size = 11")
    problem = first_problem()
    assert (problem.index, problem.event_id) == (HEADS[2], str(added.event_id))
    assert "no rightly signed head covers these records" in problem.what


def test_an_old_head_replayed(sealed_log: SealedLog, log_folder: Path) -> None:
    add_line(log_folder, lines(log_folder)[1])
    problem = first_problem()
    assert problem.index == HEADS[1]
    assert "line 4 of the heads file replays the head of 7 events after that of 10" in problem.what


def test_an_old_head_replayed_as_the_newest_of_a_cut_log(sealed_log: SealedLog, log_folder: Path) -> None:
    sealed_log.tamper(
        f"DELETE FROM ethics_auditevent WHERE event_id IN (SELECT event_id FROM ethics_auditleaf WHERE index >= {HEADS[1]})",
        f"DELETE FROM ethics_auditleaf WHERE index >= {HEADS[1]}",
        f"DELETE FROM ethics_audithead WHERE tree_size > {HEADS[1]}",
    )
    add_line(log_folder, lines(log_folder)[1])
    assert "the tail of the log is gone" in first_problem().what
    assert "replays the head of 7 events" in all_problems()


def test_a_head_that_never_reached_the_file(sealed_log: SealedLog, log_folder: Path, settings) -> None:
    settings.AUDIT_ALLOWED_LAG_SECONDS = 0
    cut_file(log_folder, 2)
    assert "the head of 10 events never reached the heads file" in all_problems()


def test_a_head_taken_out_of_the_file(sealed_log: SealedLog, log_folder: Path) -> None:
    kept = lines(log_folder)
    write_lines(log_folder, [kept[0], kept[2]])
    problem = first_problem()
    assert (problem.index, problem.what) == (HEADS[0], "the head of 7 events is not in the heads file")


def test_the_heads_file_removed(sealed_log: SealedLog, log_folder: Path) -> None:
    (log_folder / "heads.jsonl").unlink()
    assert first_problem().what == "the heads file is missing"


def test_a_line_of_the_heads_file_that_is_none(sealed_log: SealedLog, log_folder: Path) -> None:
    with (log_folder / "heads.jsonl").open("a") as stream:
        stream.write("{}\n")
    assert "line 4 of the heads file" in first_problem().what


def test_a_wrong_key(sealed_log: SealedLog) -> None:
    """The key of the log replaced by another: no head is signed by it."""
    sealed_log.tamper(f"UPDATE ethics_auditsigningkey SET public_key = {FLIP.format('public_key')}")
    problem = first_problem()
    assert problem.index == 0
    assert "which the log doesn't trust" in problem.what
    assert "is not endorsed by a trusted key, or was changed" in all_problems()


def test_a_wrong_key_that_signed_all_anew(sealed_log: SealedLog, log_folder: Path) -> None:
    """Somebody made keys and heads of their own for the same records; the heads file has the old ones."""
    kept = (log_folder / "heads.jsonl").read_bytes()
    (log_folder / "heads.jsonl").unlink()
    sealed_log.tamper(
        "DELETE FROM ethics_audithead",
        "DELETE FROM ethics_auditsigningkey",
        "DELETE FROM ethics_auditleaf WHERE index >= 7",
    )
    sealed_log.tamper("DELETE FROM ethics_auditleaf")
    seal_round()
    (log_folder / "heads.jsonl").write_bytes(kept)
    assert first_problem().index == 0
    assert "is a head of another log" in all_problems()


@pytest.mark.parametrize(
    "change",
    [
        f"endorsement = {FLIP.format('endorsement')}",
        "created_at = created_at + interval '1 second'",
        f"public_key = {FLIP.format('public_key')}",
        "key_id = '0000000000000000'",
    ],
)
def test_one_byte_changed_in_a_key_that_another_endorsed(change: str, sealed_log: SealedLog) -> None:
    rotated()
    sealed_log.drop_constraints("ethics_audithead")
    sealed_log.drop_constraints("ethics_auditsigningkey")
    sealed_log.tamper(f"UPDATE ethics_auditsigningkey SET {change} WHERE endorsed_by_id IS NOT NULL")
    problem = first_problem()
    assert (problem.index, "which the log doesn't trust" in problem.what) == (HEADS[2] + 1, True)


def test_a_key_that_signs_without_being_announced(sealed_log: SealedLog) -> None:
    rotated()
    sealed_log.tamper(
        "UPDATE ethics_auditsigningkey SET announced_in = gen_random_uuid() WHERE endorsed_by_id IS NOT NULL"
    )
    problem = first_problem()
    assert (problem.index, "before the event that announces it" in problem.what) == (HEADS[2] + 1, True)


def test_a_rotated_key_is_right(sealed_log: SealedLog) -> None:
    rotated()
    assert inspect_log().ok


def rotated() -> None:
    """A second key, announced in record 10, that signs from record 11 on."""
    audit_key_rotate()
    seal_round()
    record_one(99)
    seal_round()
