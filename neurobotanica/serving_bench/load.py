"""A closed-loop load generator: so many connections, each with one request under way."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class Series:
    """What one series of requests measured; latencies in milliseconds, as the caller saw them."""

    name: str
    requests: int
    errors: int
    seconds: float
    requests_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    mean_bytes: float


def closed_loop(
    name: str,
    *,
    port: int,
    paths: list[str],
    headers: dict[str, str],
    requests: int,
    connections: int,
    on_answer: Callable[[], object] = lambda: None,
) -> Series:
    """Send ``requests`` GETs over ``connections`` kept-alive connections to 127.0.0.1 and measure each.

    An answer that is not 200 counts as an error.

    Raises:
        OSError: the server refused or dropped a connection.
        TimeoutError: an answer took longer than ``REQUEST_SECONDS``.
    """
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    messages = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode() for path in paths]
    remaining = islice(cycle(messages), requests)
    measured: list[tuple[float, int, int]] = []
    started = time.perf_counter()
    asyncio.run(_all_connections(port, remaining, measured, connections, on_answer))
    return _series(name, measured, time.perf_counter() - started)


async def _all_connections(
    port: int,
    remaining: Iterator[bytes],
    measured: list[tuple[float, int, int]],
    connections: int,
    on_answer: Callable[[], object],
) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_one_connection(port, remaining, measured, on_answer))


async def _one_connection(
    port: int, remaining: Iterator[bytes], measured: list[tuple[float, int, int]], on_answer: Callable[[], object]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for message in remaining:
            started = time.perf_counter()
            writer.write(message)
            async with asyncio.timeout(REQUEST_SECONDS):
                status, size = await _read_answer(reader)
            measured.append((time.perf_counter() - started, status, size))
            on_answer()
    finally:
        writer.close()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        if found is None:
            raise ConnectionError("the server gave no Content-Length")
        size = int(found.group(1))
        await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the server closed the connection in the middle of an answer") from error
    return int(head[9:12]), size


def _series(name: str, measured: list[tuple[float, int, int]], seconds: float) -> Series:
    latencies = sorted(1000 * taken for taken, _, _ in measured)
    return Series(
        name=name,
        requests=len(measured),
        errors=sum(status != 200 for _, status, _ in measured),
        seconds=round(seconds, 3),
        requests_per_second=round(len(measured) / seconds, 1),
        p50_ms=round(percentile(latencies, 50), 2),
        p95_ms=round(percentile(latencies, 95), 2),
        p99_ms=round(percentile(latencies, 99), 2),
        max_ms=round(latencies[-1], 2),
        mean_bytes=round(sum(size for _, _, size in measured) / len(measured), 1),
    )


def percentile(ordered: list[float], percent: float) -> float:
    """The nearest-rank percentile of values in rising order: the smallest with at least that share at or below it."""
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
