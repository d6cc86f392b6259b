"""The whole measurement: the API at its peak, at a rate and for new texts; a keyed and a plain view at their peak.

Known predictions are those that a server has answered within the last minute: before each series of them all are asked for
once. What that first answer takes is a series of its own.
"""

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
from genomepath.answer_cache import answers_purge
from genomepath.models import ModelVersion, Prediction
from genomepath.models.model_version import VersionState
from neurobotanica.serving_bench.load import Series, closed_loop, message, open_loop
from neurobotanica.serving_bench.server import BYTES_VARIABLE, granian_server, running_server
from neurobotanica.serving_bench.texts import RATE, ModelTime, measure_model, measure_texts

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
    rate: float = 300.0
    texts: int = 0
    rounds: int = 1


@dataclass(frozen=True)
class _Round:
    """The API at its peak and, right after it, the keyed view: what the machine does else is the same for both."""

    api: Series
    keyed: Series

    @property
    def ratio(self) -> float:
        return self.api.requests_per_second / self.keyed.requests_per_second


@dataclass(frozen=True)
class _Measured:
    """All series, and what was measured of a process."""

    rounds: list[_Round]
    first: Series
    at_rate: Series
    texts: Series | None
    without_middleware: Series
    plain: Series
    model_time: ModelTime | None
    seconds_to_ready: float
    worker_mib: float

    @property
    def middle_round(self) -> _Round:
        """The round whose ratio is the median; of an even number the lower one."""
        return sorted(self.rounds, key=lambda found: found.ratio)[(len(self.rounds) - 1) // 2]

    @property
    def series(self) -> list[Series]:
        """Those that the table shows."""
        middle = self.middle_round
        return [middle.api, *self._of_the_api, middle.keyed, self.without_middleware, self.plain]

    @property
    def every_series(self) -> list[Series]:
        """Those of all rounds too."""
        peaks = [series for each in self.rounds for series in (each.api, each.keyed)]
        return [*peaks, *self._of_the_api, self.without_middleware, self.plain]

    @property
    def _of_the_api(self) -> list[Series]:
        return [self.at_rate, self.first] if self.texts is None else [self.at_rate, self.first, self.texts]


def measure_serving(*, load: Load, audience: Audience, progress: Progress) -> dict[str, Any]:
    """Measure all of them and return a report that JSON can hold. The requests are recorded under a client of the bench.

    Raises:
        NothingToMeasure: there is no active model, or nothing that the audience may see.
        ServerFailed: a server did not start.
        RedisUnavailable: Redis is away, which known predictions are measured with.
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
    options: dict[str, Any] = {"workers": load.workers, "environment": environment}
    sent = [message(path, headers) for path in paths]
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server("neurobotanica.wsgi:application", ready_path="/healthz", **options) as server,
    ):
        first = _first_answers(server.port, sent)
        bodies = sorted((_body(server.port, path, headers) for path in paths), key=len)
        file = Path(folder) / "answer.json"
        file.write_bytes(bodies[len(bodies) // 2])
        environment[BYTES_VARIABLE] = str(file)
        site, bare = (f"neurobotanica.serving_bench.{name}_wsgi:application" for name in ("site", "plain"))
        keyed_view = [message("/api/v1/keyed/", headers)]
        with granian_server(site, ready_path="/plain/", **options) as (port, _):
            rounds = [
                _Round(
                    _known_peak(load, server.port, sent, progress),
                    _peak("drf_keyed_view", load, port, keyed_view, progress),
                )
                for _ in range(load.rounds)
            ]
        with granian_server(bare, ready_path="/plain/", **options) as (port, _):
            without = _peak("drf_keyed_view_without_middleware", load, port, keyed_view, progress)
            plain = _peak("plain_django_view", load, port, [message("/plain/", headers)], progress)
        at_rate, texts = _at_rate(load, server.port, sent, headers, progress)
        memory = server.worker_mib()
    version = ModelVersion.objects.get(state=VersionState.ACTIVE.value)
    model_time = measure_model(version) if load.texts else None
    return _report(
        load, _Measured(rounds, first, at_rate, texts, without, plain, model_time, server.seconds_to_ready, memory)
    )


def _at_rate(
    load: Load, port: int, sent: list[bytes], headers: dict[str, str], progress: Progress
) -> tuple[Series, Series | None]:
    """Known predictions and new texts, asked for at a rate."""
    name = "api_prediction_at_rate"
    _asked_once(port, sent)
    known = open_loop(name, port=port, messages=sent, requests=load.requests, rate=load.rate, on_answer=progress(name))
    if not load.texts:
        return known, None
    return known, measure_texts(port=port, headers=headers, count=load.texts, rate=RATE, on_answer=progress("new_text"))


def _first_answers(port: int, sent: list[bytes]) -> Series:
    """Each prediction asked for once, alone, with nothing of it in any cache."""
    answers_purge()
    return _asked_once(port, sent)


def _asked_once(port: int, sent: list[bytes]) -> Series:
    return closed_loop("api_prediction_first", port=port, messages=sent, requests=len(sent), connections=1)


def _known_peak(load: Load, port: int, sent: list[bytes], progress: Progress) -> Series:
    _asked_once(port, sent)
    return _peak("api_prediction", load, port, sent, progress)


def _peak(name: str, load: Load, port: int, sent: list[bytes], progress: Progress) -> Series:
    return closed_loop(
        name,
        port=port,
        messages=sent,
        requests=load.requests,
        connections=load.connections,
        on_answer=progress(name),
    )


def _body(port: int, path: str, headers: dict[str, str]) -> bytes:
    """One answer of the API."""
    http_connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        http_connection.request("GET", path, headers=headers)
        return http_connection.getresponse().read()
    finally:
        http_connection.close()


def _report(load: Load, measured: _Measured) -> dict[str, Any]:
    middle = measured.middle_round
    every = measured.every_series
    peak, timed = middle.api.requests_per_second, measured.model_time
    return {
        "measured_at": timezone.now().isoformat(timespec="seconds"),
        "machine": _machine(),
        "load": asdict(load) | {"generator": "on the same machine"},
        "requests": sum(entry.requests for entry in every),
        "errors": sum(entry.errors for entry in every),
        "cold_start_seconds": round(measured.seconds_to_ready, 2),
        "worker_mib": measured.worker_mib,
        "model_time": None if timed is None else asdict(timed) | {"ratio": timed.ratio},
        "series": [asdict(entry) for entry in measured.series],
        "rounds": [
            {
                "api": each.api.requests_per_second,
                "keyed": each.keyed.requests_per_second,
                "ratio": round(each.ratio, 3),
            }
            for each in measured.rounds
        ],
        "api_to_drf_keyed": round(middle.ratio, 3),
        "api_to_drf_keyed_without_middleware": round(peak / measured.without_middleware.requests_per_second, 3),
        "api_to_plain_django": round(peak / measured.plain.requests_per_second, 3),
    }


def _machine() -> dict[str, Any]:
    return {
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "granian": version("granian"),
        "load_average": round(os.getloadavg()[0], 1),
        **{name: _database_setting(name) for name in ("synchronous_commit", "fsync")},
    }


def _database_setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        (value,) = cursor.fetchone()
    return str(value)
