"""Whoever owns database and triggers changes records of the sealed log: each change is found, and its place is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethics.audit.verification import audit_log_verify, inspect_log
from ethics.models import AuditEvent
from tests.ethics.audit.heads_file_lines import cut_file
from tests.ethics.audit.sealed_log import FLIP, HEADS, SealedLog, all_problems, first_problem, record_one, seal

pytestmark = pytest.mark.database_owner

BAD = 4

FIRST_LETTER = "overlay({0} placing 'x' from 1 for 1)"
EVENT_CHANGES = {
    "event_type": FIRST_LETTER,
    "occurred_at": "{0} + interval '1 microsecond'",
    "actor": FIRST_LETTER,
    "actor_role": FIRST_LETTER,
    "client_id": FIRST_LETTER,
    "request_id": FIRST_LETTER,
    "purpose": FIRST_LETTER,
    "policy_revision": "{0} + 1",
    "model_sha256": FIRST_LETTER,
    "subject_ids": "array['x'] || {0}[2:]",
    "community_ids": "array_remove({0}, 'community-b')",
    "reason_commitment": FIRST_LETTER,
    "details": "jsonb_set({0}, '{{from}}', '\"sacred x\"')",
    "canonical": "overlay({0} placing 'x' from 20 for 1)",
}
# What no hash covers: the row's number and the transaction that wrote it, which only help to find the row.
NOT_EVIDENCE = {"id", "xid"}


def the_event(index: int) -> str:
    return f"(SELECT event_id FROM ethics_auditleaf WHERE index = {index})"


def test_every_column_of_an_event_is_among_the_changes() -> None:
    columns = {field.column for field in AuditEvent._meta.fields}
    assert columns == EVENT_CHANGES.keys() | NOT_EVIDENCE | {"event_id"}


@pytest.mark.parametrize("column", EVENT_CHANGES)
def test_one_byte_changed_in_an_event(column: str, sealed_log: SealedLog) -> None:
    event_id = sealed_log.event_id(BAD)
    change = EVENT_CHANGES[column].format(column)
    sealed_log.tamper(f"UPDATE ethics_auditevent SET {column} = {change} WHERE event_id = '{event_id}'")
    problem = first_problem()
    assert (problem.index, problem.event_id) == (BAD, event_id)
    assert {"reason_commitment": "reason"}.get(column, column) in problem.what or "canonical text" in problem.what
    if column != "canonical":
        assert problem.what.endswith(f"differ in: {'reason' if column == 'reason_commitment' else column}")


def test_the_id_of_an_event_changed(sealed_log: SealedLog) -> None:
    event_id = sealed_log.event_id(BAD)
    sealed_log.tamper(f"UPDATE ethics_auditevent SET event_id = gen_random_uuid() WHERE event_id = '{event_id}'")
    problem = first_problem()
    assert (problem.index, problem.event_id, problem.what) == (BAD, event_id, "the event is missing")


@pytest.mark.parametrize("value", ["true", "1.0", '"1"', "null"])
def test_a_detail_changed_to_a_value_that_looks_alike(value: str, sealed_log: SealedLog) -> None:
    """An integer 1 in the details stays apart from what JSON or Python would call its equal."""
    sealed_log.tamper(
        f"UPDATE ethics_auditevent SET details = jsonb_set(details, '{{from}}', '{value}') "
        f"WHERE event_id = {the_event(BAD)}"
    )
    assert first_problem().index == BAD


def test_text_and_columns_changed_together(sealed_log: SealedLog) -> None:
    sealed_log.tamper(
        "UPDATE ethics_auditevent SET client_id = 'client-9', canonical = replace(canonical, 'client-0', 'client-9') "
        f"WHERE event_id = {the_event(BAD)}"
    )
    problem = first_problem()
    assert (problem.index, problem.what) == (BAD, "the canonical text doesn't give the leaf hash")


def test_text_columns_and_leaf_changed_together(sealed_log: SealedLog) -> None:
    """Now only the signed root knows; it says between which heads the change lies."""
    sealed_log.tamper(*changed_with_leaf(BAD))
    problem = first_problem()
    assert (problem.index, problem.last_index) == (HEADS[0], HEADS[1] - 1)
    assert problem.event_id == sealed_log.event_id(HEADS[0])
    assert "don't give the root" in problem.what


def changed_with_leaf(index: int) -> tuple[str, str]:
    return (
        "UPDATE ethics_auditevent SET client_id = 'client-9', canonical = replace(canonical, 'client-0', 'client-9') "
        f"WHERE event_id = {the_event(index)}",
        "UPDATE ethics_auditleaf leaf SET leaf_hash = sha256('\\x00'::bytea || convert_to(event.canonical, 'UTF8')) "
        f"FROM ethics_auditevent event WHERE event.event_id = leaf.event_id AND leaf.index = {index}",
    )


@pytest.mark.parametrize("change", [f"leaf_hash = {FLIP.format('leaf_hash')}", "event_id = gen_random_uuid()"])
def test_one_byte_changed_in_a_leaf(change: str, sealed_log: SealedLog) -> None:
    sealed_log.tamper(f"UPDATE ethics_auditleaf SET {change} WHERE index = {BAD}")
    problem = first_problem()
    assert problem.index == BAD


def test_a_leaf_moved_to_another_index(sealed_log: SealedLog) -> None:
    sealed_log.tamper("UPDATE ethics_auditleaf SET index = 99 WHERE index = 4")
    problem = first_problem()
    assert (problem.index, problem.last_index) == (BAD, BAD)
    assert "no leaf has this index" in problem.what


def test_a_record_removed_from_the_middle(sealed_log: SealedLog) -> None:
    event_id = sealed_log.event_id(BAD)
    sealed_log.tamper(f"DELETE FROM ethics_auditevent WHERE event_id = '{event_id}'")
    problem = first_problem()
    assert (problem.index, problem.event_id, problem.what) == (BAD, event_id, "the event is missing")


def test_a_record_removed_from_the_middle_with_its_leaf(sealed_log: SealedLog) -> None:
    sealed_log.tamper(
        f"DELETE FROM ethics_auditevent WHERE event_id = {the_event(BAD)}",
        f"DELETE FROM ethics_auditleaf WHERE index = {BAD}",
    )
    problem = first_problem()
    assert (problem.index, problem.last_index) == (BAD, BAD)
    assert "no leaf has this index" in problem.what


def test_a_record_removed_and_the_later_leaves_moved_up(sealed_log: SealedLog) -> None:
    sealed_log.drop_constraints("ethics_auditleaf")
    sealed_log.tamper(
        f"DELETE FROM ethics_auditevent WHERE event_id = {the_event(BAD)}",
        f"DELETE FROM ethics_auditleaf WHERE index = {BAD}",
        "UPDATE ethics_auditleaf SET index = -index WHERE index > 4",
        "UPDATE ethics_auditleaf SET index = -index - 1 WHERE index < 0",
    )
    problem = first_problem()
    assert (problem.index, problem.last_index) == (HEADS[0], HEADS[1] - 1)


def test_the_tail_truncated_in_the_tables(sealed_log: SealedLog) -> None:
    """Events, leaves and heads after the second head: nothing in the database knows; the heads file does."""
    sealed_log.tamper(
        f"DELETE FROM ethics_auditevent WHERE event_id IN (SELECT event_id FROM ethics_auditleaf WHERE index >= {HEADS[1]})",
        f"DELETE FROM ethics_auditleaf WHERE index >= {HEADS[1]}",
        f"DELETE FROM ethics_audithead WHERE tree_size > {HEADS[1]}",
    )
    problem = first_problem()
    assert (problem.index, problem.last_index) == (HEADS[1], HEADS[2] - 1)
    assert "the tail of the log is gone" in problem.what


def test_the_tail_of_the_leaves_truncated(sealed_log: SealedLog) -> None:
    sealed_log.tamper("DELETE FROM ethics_auditleaf WHERE index >= 8")
    problem = first_problem()
    assert (problem.index, problem.last_index) == (8, 9)


def test_the_tail_truncated_after_a_verification(sealed_log: SealedLog, log_folder: Path) -> None:
    """Heads and file cut alike: what an earlier verification reached still tells."""
    audit_log_verify()
    cut_file(log_folder, 2)
    sealed_log.tamper(
        f"DELETE FROM ethics_auditevent WHERE event_id IN (SELECT event_id FROM ethics_auditleaf WHERE index >= {HEADS[1]})",
        f"DELETE FROM ethics_auditleaf WHERE index >= {HEADS[1]}",
        f"DELETE FROM ethics_audithead WHERE tree_size > {HEADS[1]}",
    )
    assert "was verified up to 10 records before; its last head is of 7" in all_problems()


def test_two_records_swapped_with_their_contents(sealed_log: SealedLog) -> None:
    one, other = sealed_log.event_id(4), sealed_log.event_id(5)
    sealed_log.drop_constraints("ethics_auditevent")
    sealed_log.tamper(
        f"UPDATE ethics_auditevent SET event_id = CASE event_id WHEN '{one}' THEN '{other}'::uuid ELSE '{one}' END "
        f"WHERE event_id IN ('{one}', '{other}')"
    )
    report = inspect_log()
    assert {problem.index for problem in report.problems} == {4, 5}
    assert "leaf hash" in report.problems[0].what


def test_two_leaves_swapped(sealed_log: SealedLog) -> None:
    sealed_log.drop_constraints("ethics_auditleaf")
    sealed_log.tamper(
        "UPDATE ethics_auditleaf SET index = -index WHERE index IN (4, 5)",
        "UPDATE ethics_auditleaf SET index = 9 + index WHERE index < 0",
    )
    problem = first_problem()
    assert (problem.index, problem.last_index) == (HEADS[0], HEADS[1] - 1)
    assert "moved" in problem.what


def test_an_event_sealed_twice(sealed_log: SealedLog) -> None:
    sealed_log.drop_constraints("ethics_auditleaf")
    sealed_log.tamper(
        "UPDATE ethics_auditleaf SET event_id = (SELECT event_id FROM ethics_auditleaf WHERE index = 1) WHERE index = 4"
    )
    assert "record 4" in all_problems()
    assert "the event was sealed twice" in all_problems()


def test_a_leaf_index_used_twice(sealed_log: SealedLog) -> None:
    sealed_log.drop_constraints("ethics_auditleaf")
    sealed_log.tamper(
        "INSERT INTO ethics_auditleaf SELECT index, gen_random_uuid(), leaf_hash FROM ethics_auditleaf WHERE index = 4"
    )
    assert "the leaf index occurs twice" in all_problems()
    assert first_problem().index == BAD


def test_an_event_that_nobody_seals(sealed_log: SealedLog, settings) -> None:
    settings.AUDIT_ALLOWED_LAG_SECONDS = 0
    event = record_one(99)
    problem = first_problem()
    assert (problem.event_id, "1 events since" in problem.what) == (str(event.event_id), True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (f"UPDATE ethics_auditnode SET hash = {FLIP.format('hash')}", "node 8/0 isn't the hash of its leaves"),
        ("UPDATE ethics_auditnode SET index = 1", "node 8/0 is missing"),
        ("UPDATE ethics_auditnode SET level = 9", "node 8/0 is missing"),
        ("DELETE FROM ethics_auditnode", "node 8/0 is missing"),
        (
            "INSERT INTO ethics_auditnode (level, index, hash) SELECT 9, 0, hash FROM ethics_auditnode",
            "nodes are stored that a tree of 260 leaves doesn't have",
        ),
    ],
)
def test_a_stored_node_changed(change: str, expected: str, sealed_log: SealedLog) -> None:
    seal(rounds=(250,))
    sealed_log.tamper(change)
    assert expected in first_problem().what


def test_a_stored_node_narrows_down_which_record_changed_with_its_leaf(sealed_log: SealedLog) -> None:
    seal(rounds=(510,))
    sealed_log.tamper(*changed_with_leaf(300))
    problem = first_problem()
    assert (problem.index, problem.last_index) == (256, 511)
    assert "don't give the root" in all_problems()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ethics_auditidentity SET name = 'somebody else' WHERE starts_with(name, 'mira')",
        f"UPDATE ethics_auditidentity SET salt = {FLIP.format('salt')} WHERE starts_with(name, 'mira')",
        "DELETE FROM ethics_auditidentity WHERE starts_with(name, 'mira')",
    ],
)
def test_a_name_changed_or_removed(change: str, sealed_log: SealedLog) -> None:
    sealed_log.drop_constraints("ethics_auditidentity")
    sealed_log.tamper(change)
    assert "actor" in first_problem().what


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ethics_auditreason SET text = 'another reason'",
        f"UPDATE ethics_auditreason SET salt = {FLIP.format('salt')}",
        "DELETE FROM ethics_auditreason",
    ],
)
def test_a_reason_changed_or_removed(change: str, sealed_log: SealedLog) -> None:
    event_id = sealed_log.event_id(BAD)
    sealed_log.tamper(f"{change} WHERE event_id = '{event_id}'")
    problem = first_problem()
    assert (problem.index, problem.event_id) == (BAD, event_id)
    assert "the reason kept" in problem.what
