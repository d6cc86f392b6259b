"""The benchmark of the verification measures a log of its own and leaves the site's alone."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection


@pytest.mark.slow
@pytest.mark.database_owner
def test_a_report_names_rates_and_memory_and_the_scratch_database_goes(
    committed_database, django_db_blocker, tmp_path: Path
) -> None:
    folder, target = settings.AUDIT_FOLDER, tmp_path / "report.json"
    with django_db_blocker.unblock():
        call_command("bench_audit_verification", events=700, runs=2, json=target, stdout=StringIO(), stderr=StringIO())
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE current_database() || '_bench_%'")
            assert cursor.fetchone() == (0,)
    report = json.loads(target.read_text(encoding="utf-8"))
    assert (report["events"], report["runs"], report["heads"]) == (700, 2, 1)
    assert len(report["verified_events_per_second"]) == len(report["bare_events_per_second"]) == 2
    assert all(rate > 0 for rate in report["verified_events_per_second"])
    assert folder == settings.AUDIT_FOLDER


@pytest.mark.parametrize("options", [{"events": 0}, {"runs": 0}, {"json": Path("/nowhere/at/all.json")}])
def test_what_cannot_be_measured_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(CommandError):
        call_command("bench_audit_verification", **options)
