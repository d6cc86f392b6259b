"""`manage.py bench_desk` measures every page on a log of its own."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ethics.models import AuditEvent


@pytest.mark.slow
@pytest.mark.database_owner
def test_every_page_is_measured_and_the_log_in_use_is_left_alone(
    committed_database, django_db_blocker, tmp_path: Path
) -> None:
    target = tmp_path / "desk.json"
    with django_db_blocker.unblock():
        before = AuditEvent.objects.count()
        call_command("bench_desk", "--events", "1000", "--runs", "1", "--json", str(target), stdout=StringIO())
        assert AuditEvent.objects.count() == before
    report = json.loads(target.read_text())
    assert {"overview", "events of all", "an event", "a practice", "alerts"} <= report["pages"].keys()
    assert report["most_queries"] <= 12


@pytest.mark.parametrize("options", [["--events", "10"], ["--runs", "0"], ["--json", "/no/such/folder/desk.json"]])
def test_bad_options_are_refused(options: list[str]) -> None:
    with pytest.raises(CommandError, match=r"must be|no folder"):
        call_command("bench_desk", *options, stdout=StringIO(), stderr=StringIO())
