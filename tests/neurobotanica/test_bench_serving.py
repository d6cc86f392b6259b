"""`manage.py bench_serving` measures real servers; its arithmetic is checked on its own."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ethics.models import ApiKey, AuditEvent
from neurobotanica.serving_bench import ServerFailed, granian_server
from neurobotanica.serving_bench.load import closed_loop, message, open_loop, percentile
from neurobotanica.serving_bench.texts import new_texts
from tests.factories import make_catalogue


@pytest.mark.parametrize(("percent", "value"), [(50, 5.0), (95, 10.0), (10, 1.0), (100, 10.0)])
def test_percentile_is_the_nearest_rank(percent, value):
    assert percentile([float(number) for number in range(1, 11)], percent) == value


@contextmanager
def slow_server(seconds: float) -> Iterator[int]:
    """Answers every request on a connection after so long; gives its port."""

    class Slow(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline():
                while self.rfile.readline() != b"\r\n":
                    pass
                time.sleep(seconds)
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_an_open_loop_counts_the_time_that_a_request_waited_for_its_turn():
    with slow_server(0.05) as port:
        sent = [message("/", {})]
        closed = closed_loop("closed", port=port, messages=sent, requests=10, connections=1)
        opened = open_loop("open", port=port, messages=sent, requests=10, rate=100.0, connections=1)

    assert (opened.requests, opened.errors) == (10, 0)
    # The last one is due after 90 ms, and answered after ten answers of 50 ms each.
    assert opened.max_ms >= 410
    assert closed.p50_ms < opened.p50_ms


def test_an_open_loop_sends_no_faster_than_its_rate():
    with slow_server(0) as port:
        series = open_loop("open", port=port, messages=[message("/", {})], requests=21, rate=100.0, connections=4)

    assert series.seconds >= 0.2


def test_no_two_new_texts_are_alike():
    assert len(set(new_texts(1000))) == 1000


def test_report_holds_all_series_and_the_key_is_revoked(committed_database, monkeypatch, tmp_path, django_db_blocker):
    monkeypatch.setenv("DATABASE_URL", committed_database.url)
    with django_db_blocker.unblock():
        make_catalogue()
        call_command(
            "bench_serving",
            "--json",
            str(tmp_path / "r.json"),
            "--plot",
            str(tmp_path / "r.svg"),
            "--requests",
            "30",
            "--texts",
            "0",
            stdout=StringIO(),
            stderr=StringIO(),
        )
        report = json.loads((tmp_path / "r.json").read_text())
        assert [entry["name"] for entry in report["series"]] == [
            "api_prediction",
            "api_prediction_at_rate",
            "api_prediction_first",
            "drf_keyed_view",
            "drf_keyed_view_without_middleware",
            "plain_django_view",
        ]
        for entry in report["series"]:
            requests = 3 if entry["name"] == "api_prediction_first" else 30
            assert (entry["requests"], entry["errors"]) == (requests, 0)
            assert 0 < entry["p50_ms"] <= entry["p95_ms"] <= entry["p99_ms"] <= entry["max_ms"]
        assert (report["requests"], report["errors"]) == (3 * 2 * 30 + 3 * 30 + 3, 0)
        ratios = [entry["ratio"] for entry in report["rounds"]]
        assert report["api_to_drf_keyed"] == sorted(ratios)[1]
        assert report["api_to_plain_django"] > 0
        assert report["worker_mib"] > 0
        assert (tmp_path / "r.svg").read_text().count("0 of 30 failed") == 5
        assert ApiKey.objects.get().revoked
        assert AuditEvent.objects.filter(event_type="prediction.served").count() == 4 * 30 + (1 + 3 + 1 + 1) * 3


@pytest.mark.django_db
def test_without_published_predictions_the_command_says_so():
    with pytest.raises(CommandError, match="train and promote"):
        call_command("bench_serving")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--requests", "0"),
        ("--connections", "0"),
        ("--rounds", "0"),
        ("--rate", "0"),
        ("--rate", "nan"),
        ("--texts", "-1"),
        ("--json", "/no/such/folder/f"),
        ("--plot", "/no/such/folder/f"),
    ],
)
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(CommandError):
        call_command("bench_serving", *arguments)


def test_server_that_cannot_start_is_reported_with_its_output():
    with (
        pytest.raises(ServerFailed, match="no_such_module"),
        granian_server("no_such_module:application", ready_path="/", workers=1, environment={}),
    ):
        pass
