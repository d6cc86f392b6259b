"""Whoever owns database and triggers changes the sealed log: each change is found, and its place is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ethics.audit.findings import Problem
from ethics.audit.sealing import seal_round
from ethics.audit.signing import audit_key_rotate
from ethics.audit.verification import audit_log_verify, inspect_log
from ethics.models import AuditEvent
from tests.ethics.audit.sealed_log import HEADS, SealedLog, record_one, seal

pytestmark = pytest.mark.database_owner

BAD = 4

FLIP = "set_byte({0}, 5, get_byte({0}, 5) # 1)"
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


def first_problem() -> Problem:
    report = inspect_log()
    assert report.problems, "nothing was found"
    return report.problems[0]


def all_problems() -> str:
    return "\n".join(map(str, inspect_log().problems))


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
        "UPDATE ethics_auditidentity SET name = 'somebody else' WHERE name LIKE 'mira%'",
        f"UPDATE ethics_auditidentity SET salt = {FLIP.format('salt')} WHERE name LIKE 'mira%'",
        "DELETE FROM ethics_auditidentity WHERE name LIKE 'mira%'",
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


def rotated() -> None:
    """A second key, announced in record 10, that signs from record 11 on."""
    audit_key_rotate()
    seal_round()
    record_one(99)
    seal_round()


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "heads.jsonl").read_text().splitlines()]


def write_lines(folder: Path, entries: list[dict[str, object]]) -> None:
    (folder / "heads.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def add_line(folder: Path, entry: dict[str, object]) -> None:
    write_lines(folder, [*lines(folder), entry])


def change_line(folder: Path, place: int, **changes: object) -> None:
    entries = lines(folder)
    entries[place] |= changes
    write_lines(folder, entries)


def cut_file(folder: Path, count: int) -> None:
    write_lines(folder, lines(folder)[:count])
