"""`manage.py bench_serving` measures real servers; its arithmetic is checked on its own."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ethics.models import ApiKey, AuditEvent
from neurobotanica.serving_bench import ServerFailed, granian_server
from neurobotanica.serving_bench.load import percentile
from tests.factories import make_catalogue


@pytest.mark.parametrize(("percent", "value"), [(50, 5.0), (95, 10.0), (10, 1.0), (100, 10.0)])
def test_percentile_is_the_nearest_rank(percent, value):
    assert percentile([float(number) for number in range(1, 11)], percent) == value


def test_report_holds_all_series_and_the_key_is_revoked(committed_database, monkeypatch, tmp_path, django_db_blocker):
    monkeypatch.setenv("DATABASE_URL", committed_database.url)
    with django_db_blocker.unblock():
        make_catalogue()
        call_command(
            "bench_serving",
            "--json",
            str(tmp_path / "r.json"),
            "--requests",
            "30",
            stdout=StringIO(),
            stderr=StringIO(),
        )
        report = json.loads((tmp_path / "r.json").read_text())
        assert [entry["name"] for entry in report["series"]] == [
            "api_prediction",
            "drf_keyed_view",
            "plain_django_view",
        ]
        for entry in report["series"]:
            assert (entry["requests"], entry["errors"]) == (30, 0)
            assert 0 < entry["p50_ms"] <= entry["p95_ms"] <= entry["p99_ms"] <= entry["max_ms"]
        assert report["api_to_plain_django"] > 0
        assert ApiKey.objects.get().revoked
        assert AuditEvent.objects.filter(event_type="prediction.served").count() == 30 + 3


@pytest.mark.django_db
def test_without_published_predictions_the_command_says_so():
    with pytest.raises(CommandError, match="train and promote"):
        call_command("bench_serving")


@pytest.mark.parametrize("arguments", [("--requests", "0"), ("--connections", "0"), ("--json", "/no/such/folder/f")])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(CommandError):
        call_command("bench_serving", *arguments)


def test_server_that_cannot_start_is_reported_with_its_output():
    with (
        pytest.raises(ServerFailed, match="no_such_module"),
        granian_server("no_such_module:application", ready_path="/", workers=1, environment={}),
    ):
        pass
