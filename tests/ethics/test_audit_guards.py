"""The database guards every table of the log, against its owner's session tricks too.

The application's role does not even come so far: ``tests/governance/test_database_roles.py``."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from ethics import audit
from ethics.models import (
    AuditArchive,
    AuditEvent,
    AuditHead,
    AuditIdentity,
    AuditLeaf,
    AuditNode,
    AuditReason,
    AuditSigningKey,
    AuditVerification,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database_owner]
APPEND_ONLY = {
    "ethics_auditevent": "purpose = 'changed'",
    "ethics_auditleaf": "index = 7",
    "ethics_auditnode": "level = 9",
    "ethics_audithead": "tree_size = 9",
    "ethics_auditsigningkey": "created_at = now()",
    "ethics_auditverification": "ok = true, problem = ''",
    "ethics_auditarchive": "end_index = 99",
}
SHRED_ONLY = ("ethics_auditidentity", "ethics_auditreason")
KEYS = {
    "ethics_auditevent": "event_id",
    "ethics_auditleaf": "event_id",
    "ethics_auditnode": "level, index",
    "ethics_audithead": "tree_size",
    "ethics_auditsigningkey": "key_id",
    "ethics_auditverification": "id",
    "ethics_auditarchive": "first_index",
}


@pytest.fixture(autouse=True)
def rows() -> None:
    """One row in every table, with no check put off that TRUNCATE would stumble on."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    event = audit.record("identity.shredded", subjects=["synthetic"], reason="synthetic reason")
    key = AuditSigningKey.objects.create(key_id="0" * 16, public_key=bytes(32), created_at=moment)
    AuditLeaf.objects.create(index=0, event_id=event.event_id, leaf_hash=bytes(32))
    AuditNode.objects.create(level=8, index=0, hash=bytes(32))
    AuditHead.objects.create(tree_size=1, root_hash=bytes(32), signed_at=moment, key=key, signature=bytes(64))
    AuditArchive.objects.create(
        first_index=7, end_index=8, file_name="synthetic.gz", size_bytes=1, sha256="0" * 64, archived_at=moment
    )
    AuditVerification.objects.create(
        tree_size=1, started_at=moment, finished_at=moment, events=1, ok=False, problem="synthetic"
    )
    set_up_session("SET CONSTRAINTS ALL IMMEDIATE")


def assert_refused(*statements: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        for statement in statements:
            cursor.execute(statement)


def set_up_session(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_a_row_of_the_log_is_never_changed(table: str) -> None:
    assert_refused(f"UPDATE {table} SET {APPEND_ONLY[table]}")
    assert_refused(
        f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({KEYS[table]}) DO UPDATE SET {APPEND_ONLY[table]}"
    )


@pytest.mark.parametrize("table", [*APPEND_ONLY, *SHRED_ONLY])
def test_a_row_of_the_log_is_never_removed(table: str) -> None:
    assert_refused(f"DELETE FROM {table}")
    assert_refused(f"TRUNCATE {table} CASCADE")


def test_the_application_cannot_play_a_replica_whose_triggers_sleep() -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        set_up_session("SET LOCAL session_replication_role = replica")


@pytest.mark.parametrize("table", [*APPEND_ONLY, *SHRED_ONLY])
def test_the_setting_that_switches_library_triggers_off_does_not_reach_the_log(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(tgname) FROM pg_trigger WHERE tgrelid = %s::regclass", [table])
        [names] = cursor.fetchone()
    set_up_session(f"SET LOCAL pgtrigger.ignore = '{{{','.join(names)}}}'")
    assert_refused(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", [*APPEND_ONLY, *SHRED_ONLY])
def test_every_trigger_of_the_log_fires_always(table: str) -> None:
    """'A' is ENABLE ALWAYS: also in the session of a superuser that plays a replica."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
        )
        assert cursor.fetchall() == [("A",)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ethics_auditidentity SET name = 'somebody else'",
        "UPDATE ethics_auditidentity SET salt = '\\x00'",
        "UPDATE ethics_auditidentity SET commitment = repeat('0', 64)",
        "UPDATE ethics_auditidentity SET name = '', salt = NULL, shredded_at = now(), created_at = now()",
        "UPDATE ethics_auditreason SET text = 'another reason'",
        "UPDATE ethics_auditreason SET event_id = gen_random_uuid(), text = '', salt = NULL, shredded_at = now()",
    ],
)
def test_names_and_reasons_are_never_replaced(change: str) -> None:
    assert_refused(change)


@pytest.mark.parametrize(("table", "text"), [("ethics_auditidentity", "name"), ("ethics_auditreason", "text")])
def test_a_shredded_row_is_never_filled_again(table: str, text: str) -> None:
    set_up_session(f"UPDATE {table} SET {text} = '', salt = NULL, shredded_at = now()")
    assert_refused(f"UPDATE {table} SET shredded_at = now()")
    assert_refused(f"UPDATE {table} SET {text} = 'back', salt = '\\x00', shredded_at = NULL")


def test_half_shredded_rows_cannot_be() -> None:
    with pytest.raises(DatabaseError, match="whole_or_shredded"), transaction.atomic():
        AuditIdentity.objects.update(name="", shredded_at=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(DatabaseError, match="whole_or_shredded"), transaction.atomic():
        AuditReason.objects.update(text="", shredded_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_tree_has_one_head_a_size_and_one_leaf_a_place_and_event() -> None:
    leaf, head = AuditLeaf.objects.get(), AuditHead.objects.get()
    again = AuditEvent.objects.get()
    for row in (
        AuditLeaf(index=leaf.index, event_id="00000000-0000-0000-0000-000000000001", leaf_hash=bytes(32)),
        AuditLeaf(index=1, event_id=again.event_id, leaf_hash=bytes(32)),
        AuditHead(tree_size=1, root_hash=bytes(32), signed_at=head.signed_at, key=head.key, signature=bytes(64)),
    ):
        with pytest.raises(DatabaseError, match="duplicate key"), transaction.atomic():
            row.save(force_insert=True)
