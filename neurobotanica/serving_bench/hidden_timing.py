"""Do hidden and absent practices take the same time to be answered? Interleaved requests to a real server, and an AUC.

An AUC of 0.5 means that the time of an answer says nothing. Two classifiers are tried: the time itself, and the likelihood
ratio of its bin (hidden against absent), learned on one half of the requests and judged on the other, each way.
"""

from __future__ import annotations

import random
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from correlations.models import Practice
from ethics.clients import api_key_create, api_key_revoke, client_create
from ethics.models import ApiClient
from ethics.policy import Audience, Purpose
from neurobotanica.serving_bench.server import granian_server

LOW, HIGH = 0.48, 0.52
RESAMPLES = 1000
MOST_HIDDEN = 20
WARM_UP = 200
_BINS = 20
_SEED = 20_261_124
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SOCKET_SECONDS = 10.0

Times = NDArray[np.float64]
Labels = NDArray[np.bool_]


class NothingHidden(Exception):
    """No practice is withheld from this audience, so that there is nothing to tell from an absent one."""


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve with its 95% percentile bootstrap interval over requests."""

    value: float
    low: float
    high: float

    @property
    def tells_nothing(self) -> bool:
        """Whether the whole interval lies within 0.48 to 0.52."""
        return self.low >= LOW and self.high <= HIGH


def measure_hidden_timing(
    *, audience: Audience, requests: int, on_answer: Callable[[], object] = lambda: None
) -> dict[str, Any]:
    """Ask for hidden and absent practices in random order over one connection; returns a report that JSON can hold.

    Every answer must be 404. The requests are recorded in the audit log under a client of the bench.

    Raises:
        NothingHidden: every practice may be used for this audience.
        ServerFailed: the server did not start.
        OSError: the server dropped the connection, or an answer was not 404.
    """
    permitted = Practice.objects.permitted_for(Purpose.PREDICTION, audience)
    hidden = list(Practice.objects.exclude(pk__in=permitted).values_list("slug", flat=True)[:MOST_HIDDEN])
    if not hidden:
        raise NothingHidden("No practice is withheld from this audience: there is nothing to measure.")
    absent = [_absent_like(slug) for slug in hidden]
    organisation = f"Timing bench, {audience.value}"
    client = ApiClient.objects.filter(organisation=organisation).first() or client_create(
        organisation=organisation, audience=audience
    )
    key, text = api_key_create(client=client, name="bench", expires_at=timezone.now() + timedelta(hours=2))
    environment = {"API_REQUESTS_PER_MINUTE": str(10**9), "API_REQUESTS_PER_DAY": str(10**9), "LOG_LEVEL": "CRITICAL"}
    try:
        with granian_server(
            "neurobotanica.wsgi:application", ready_path="/healthz", workers=1, environment=environment
        ) as (port, _):
            labels = _order(requests)
            times = _ask(port, text, labels=labels, hidden=hidden, absent=absent, on_answer=on_answer)
    finally:
        api_key_revoke(key=key)
    return _report(audience, times, labels, len(hidden))


def _absent_like(slug: str) -> str:
    """A name of the same length that no practice has."""
    generator = secrets.SystemRandom()
    while True:
        name = slug[:3] + "".join(generator.choice(_LETTERS) for _ in range(max(len(slug) - 3, 8)))
        if not Practice.objects.filter(slug=name).exists():
            return name


def _order(requests: int) -> Labels:
    """True for hidden: as many as absent ones, in random order."""
    labels: Labels = np.arange(requests) % 2 == 0
    np.random.default_rng(_SEED).shuffle(labels)
    return labels


def _ask(
    port: int, key: str, *, labels: Labels, hidden: list[str], absent: list[str], on_answer: Callable[[], object]
) -> Times:
    """Seconds of each answer; the first ``WARM_UP`` requests before them are not counted."""
    choose = random.Random(_SEED)  # noqa: S311  the order of a measurement, no secret
    warm_up = np.arange(WARM_UP) % 2 == 0
    times = []
    with socket.create_connection(("127.0.0.1", port), _SOCKET_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = connection.makefile("rb")
        for is_hidden in np.concatenate([warm_up, labels]):
            slug = choose.choice(hidden if is_hidden else absent)
            message = (
                f"GET /api/v1/predictions/practices/{slug}/targets/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                f"Authorization: Api-Key {key}\r\n\r\n"
            ).encode()
            started = time.perf_counter()
            connection.sendall(message)
            status = stream.readline()
            length = 0
            while (line := stream.readline()) not in {b"\r\n", b""}:
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            stream.read(length)
            times.append(time.perf_counter() - started)
            if status[9:12] != b"404":
                raise ConnectionError(f"a withheld or absent practice was answered with {status[9:12]!r}")
            on_answer()
    return np.array(times[WARM_UP:])


def area_under_curve(scores: Times, labels: Labels) -> float:
    """Probability that a hidden request scores above an absent one, ties counting half (Mann and Whitney 1947)."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = int(labels.sum())
    negatives = len(labels) - positives
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def auc_with_interval(scores: Times, labels: Labels, *, resamples: int = RESAMPLES) -> Auc:
    """The AUC with its interval; hidden and absent requests are drawn apart."""
    generator = np.random.default_rng(_SEED)
    hidden, absent = scores[labels], scores[~labels]
    drawn_labels = np.concatenate([np.ones(len(hidden), dtype=bool), np.zeros(len(absent), dtype=bool)])
    values = [
        area_under_curve(
            np.concatenate([generator.choice(hidden, len(hidden)), generator.choice(absent, len(absent))]), drawn_labels
        )
        for _ in range(resamples)
    ]
    low, high = np.percentile(values, [2.5, 97.5])
    return Auc(area_under_curve(scores, labels), float(low), float(high))


def likelihood_scores(times: Times, labels: Labels) -> Times:
    """For each request the share of hidden ones in its bin of time, as learned from the other half of the requests."""
    halves = np.arange(len(times)) % 2 == 0
    scores = np.empty(len(times))
    for judged in (halves, ~halves):
        edges = np.quantile(times[~judged], np.linspace(0, 1, _BINS + 1)[1:-1])
        learned = np.searchsorted(edges, times[~judged])
        hidden = np.bincount(learned[labels[~judged]], minlength=_BINS)
        share = (hidden + 1) / (np.bincount(learned, minlength=_BINS) + 2)
        scores[judged] = share[np.searchsorted(edges, times[judged])]
    return scores


def _report(audience: Audience, times: Times, labels: Labels, hidden: int) -> dict[str, Any]:
    by_time, by_bin = auc_with_interval(times, labels), auc_with_interval(likelihood_scores(times, labels), labels)
    return {
        "measured_at": timezone.now().isoformat(timespec="seconds"),
        "audience": audience.value,
        "requests": len(times),
        "hidden_practices": hidden,
        "bounds": [LOW, HIGH],
        "auc_of_time": asdict(by_time),
        "auc_of_classifier": asdict(by_bin),
        "tells_nothing": by_time.tells_nothing and by_bin.tells_nothing,
        "median_ms": {
            name: round(1000 * float(np.median(times[chosen])), 3)
            for name, chosen in (("hidden", labels), ("absent", ~labels))
        },
    }
