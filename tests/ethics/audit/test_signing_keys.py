"""Signing keys: private ones lie in files of their owner alone, and each one is endorsed by the one before."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ethics.audit.sealing import seal_round
from ethics.audit.signing import (
    AuditKeyError,
    audit_folder,
    audit_key_rotate,
    endorsed_bytes,
    key_id_of,
    key_path,
    log_id,
    log_id_of,
    signature_is_valid,
    signing_key,
)
from ethics.models import AuditEvent, AuditHead, AuditLeaf, AuditSigningKey, AuditVerification
from tests.ethics.audit.stored_log import assert_log_is_whole, write_events


def only_key_file() -> Path:
    [path] = audit_folder().glob("signing-*.pem")
    return path


@pytest.mark.django_db
def test_the_first_key_is_made_once_and_is_readable_by_its_owner_alone() -> None:
    key = signing_key()
    assert signing_key() == key
    assert key.key_id == key_id_of(bytes(key.public_key))
    assert only_key_file() == key_path(key.key_id)
    assert only_key_file().stat().st_mode & 0o777 == 0o600
    assert audit_folder().stat().st_mode & 0o777 == 0o700


def test_processes_that_start_together_make_one_key(committed_database, django_db_blocker) -> None:
    made: list[str] = []
    together = threading.Barrier(4)

    def start() -> None:
        try:
            together.wait(30)
            made.append(signing_key().key_id)
        finally:
            connection.close()

    with django_db_blocker.unblock():
        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert made == [AuditSigningKey.objects.get().key_id] * 4
    only_key_file()


@pytest.mark.django_db
def test_a_key_signs_once_its_announcement_is_sealed() -> None:
    write_events(1)
    seal_round()
    old = signing_key()
    new = audit_key_rotate()
    assert signing_key() == old
    seal_round()
    assert signing_key() == new
    write_events(1)
    seal_round()
    assert [head.key_id for head in AuditHead.objects.order_by("tree_size")] == [old.key_id, old.key_id, new.key_id]
    assert AuditLeaf.objects.filter(event_id=str(new.announced_in)).exists()
    assert log_id() == log_id_of(bytes(old.public_key))
    assert_log_is_whole()


@pytest.mark.django_db
def test_a_new_key_is_endorsed_by_the_one_before_and_the_log_tells_of_it() -> None:
    first, second, third = signing_key(), audit_key_rotate(), audit_key_rotate()
    for before, key in ((first, second), (second, third)):
        kept = AuditSigningKey.objects.get(pk=key.pk)
        assert kept.endorsed_by == before
        assert signature_is_valid(bytes(before.public_key), endorsed_bytes(kept), bytes(kept.endorsement or b""))
    told = AuditEvent.objects.filter(event_type="audit_key.rotated").order_by("pk")
    assert [(event.subject_ids, event.details) for event in told] == [
        ([second.key_id], {"key_before": first.key_id}),
        ([third.key_id], {"key_before": second.key_id}),
    ]


@pytest.mark.django_db
def test_a_log_whose_key_file_is_missing_is_not_continued_with_another_key() -> None:
    write_events(1)
    seal_round()
    only_key_file().unlink()
    write_events(1)
    with pytest.raises(AuditKeyError, match="missing"):
        seal_round()
    assert AuditLeaf.objects.count() == 1
    assert AuditSigningKey.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_open_is_refused(mode: int) -> None:
    signing_key()
    only_key_file().chmod(mode)
    write_events(1)
    with pytest.raises(AuditKeyError, match="chmod 600"):
        seal_round()
    assert not AuditLeaf.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_holds_no_key_is_refused(content: bytes) -> None:
    signing_key()
    only_key_file().write_bytes(content)
    with pytest.raises(AuditKeyError, match="no private key"):
        seal_round()


@pytest.mark.django_db
def test_a_file_that_holds_another_key_is_refused() -> None:
    first = signing_key()
    second = audit_key_rotate()
    key_path(first.key_id).write_bytes(key_path(second.key_id).read_bytes())
    with pytest.raises(AuditKeyError, match="another key"):
        seal_round()


@pytest.mark.django_db
def test_the_commands_name_the_cause_and_the_alarm_is_kept_once() -> None:
    signing_key()
    only_key_file().unlink()
    for _ in range(2):
        with pytest.raises(CommandError, match="missing"):
            call_command("seal_audit_log", "--once")
    with pytest.raises(CommandError, match="missing"):
        call_command("rotate_audit_key")
    assert AuditSigningKey.objects.count() == 1
    alarm = AuditVerification.objects.get()
    assert not alarm.ok
    assert "missing" in alarm.problem


@pytest.mark.django_db
def test_the_command_rotates(capsys) -> None:
    first = signing_key()
    call_command("rotate_audit_key")
    second = AuditSigningKey.objects.get(endorsed_by=first)
    assert f"key {second.key_id}, endorsed by {first.key_id}" in capsys.readouterr().out
