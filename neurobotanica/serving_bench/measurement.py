"""The whole measurement: the API, then a keyed DRF view, then a plain view, with the same load."""

from __future__ import annotations

import http.client
import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from ethics.clients import api_key_create, api_key_revoke, client_create
from ethics.models import ApiClient
from ethics.policy import Audience, Purpose
from genomepath.models import Prediction
from genomepath.models.model_version import VersionState
from neurobotanica.serving_bench.load import Series, closed_loop
from neurobotanica.serving_bench.server import BYTES_VARIABLE, granian_server

ORGANISATION = "Serving bench"
MOST_PATHS = 40
Progress = Callable[[str], Callable[[], object]]


class NothingToMeasure(Exception):
    """No predictions are published that the bench's audience may see."""


@dataclass(frozen=True)
class Load:
    """How hard the servers are pressed."""

    requests: int
    connections: int
    workers: int


def measure_serving(*, load: Load, audience: Audience, progress: Progress) -> dict[str, Any]:
    """Measure all three and return a report that JSON can hold. The requests are recorded under a client of the bench.

    Raises:
        NothingToMeasure: there is no active model, or nothing that the audience may see.
        ServerFailed: a server did not start.
        OSError: a server dropped a connection.
    """
    paths = prediction_paths(audience)
    client = ApiClient.objects.filter(organisation=ORGANISATION).first() or client_create(
        organisation=ORGANISATION, audience=audience
    )
    if client.audience != audience.value:
        raise NothingToMeasure(
            f"The client '{ORGANISATION}' has the audience {client.audience}; measure with that one."
        )
    key, text = api_key_create(client=client, name="bench", expires_at=timezone.now() + timedelta(hours=1))
    try:
        return _measure(load, paths, {"Authorization": f"Api-Key {text}"}, progress)
    finally:
        api_key_revoke(key=key)


def prediction_paths(audience: Audience) -> list[str]:
    """Addresses of published predictions that the audience may see, practices first, at most ``MOST_PATHS``."""
    published = Prediction.objects.permitted_for(Purpose.PREDICTION, audience).filter(
        model_version__state=VersionState.ACTIVE.value
    )
    slugs = published.order_by("practice__slug").values_list("practice__slug", flat=True).distinct()
    paths = [f"/api/v1/predictions/practices/{slug}/targets/" for slug in slugs[:MOST_PATHS]]
    if not paths:
        raise NothingToMeasure("No published predictions that this audience may see: train and promote a model first.")
    return paths


def _measure(load: Load, paths: list[str], headers: dict[str, str], progress: Progress) -> dict[str, Any]:
    environment = {"API_REQUESTS_PER_MINUTE": str(10**9), "API_REQUESTS_PER_DAY": str(10**9), "LOG_LEVEL": "ERROR"}
    server: dict[str, Any] = {"workers": load.workers, "environment": environment}

    def series(name: str, port: int, addresses: list[str]) -> Series:
        return closed_loop(
            name,
            port=port,
            paths=addresses,
            headers=headers,
            requests=load.requests,
            connections=load.connections,
            on_answer=progress(name),
        )

    with granian_server("neurobotanica.wsgi:application", ready_path="/healthz", **server) as (port, cold_start):
        bodies = sorted((_body(port, path, headers) for path in paths), key=len)
        measured = [series("api_prediction", port, paths)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answer.json"
        file.write_bytes(bodies[len(bodies) // 2])
        environment[BYTES_VARIABLE] = str(file)
        with granian_server("neurobotanica.serving_bench.plain_wsgi:application", ready_path="/plain/", **server) as (
            port,
            _,
        ):
            measured.append(series("drf_keyed_view", port, ["/keyed/"]))
            measured.append(series("plain_django_view", port, ["/plain/"]))
    return _report(load, measured, cold_start)


def _body(port: int, path: str, headers: dict[str, str]) -> bytes:
    """One answer of the API; fetching it also fills the cache, so that the series measures known predictions."""
    http_connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        http_connection.request("GET", path, headers=headers)
        return http_connection.getresponse().read()
    finally:
        http_connection.close()


def _report(load: Load, measured: list[Series], cold_start: float) -> dict[str, Any]:
    api, keyed, plain = (entry.requests_per_second for entry in measured)
    return {
        "measured_at": timezone.now().isoformat(timespec="seconds"),
        "machine": {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "granian": version("granian"),
            **{name: _database_setting(name) for name in ("synchronous_commit", "fsync")},
        },
        "load": asdict(load) | {"loop": "closed", "generator": "on the same machine"},
        "cold_start_seconds": round(cold_start, 2),
        "series": [asdict(entry) for entry in measured],
        "api_to_drf_keyed": round(api / keyed, 3),
        "api_to_plain_django": round(api / plain, 3),
    }


def _database_setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        (value,) = cursor.fetchone()
    return str(value)
