"""Load generators: a closed loop, each connection with one request under way, and an open one, which keeps a rate."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
REQUEST_SECONDS = 10.0
OPEN_CONNECTIONS = 32

Due = tuple[float | None, bytes]
"""A message, and the second after the start at which it is due; None: as soon as its connection is free."""


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


def message(path: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """A GET, or a POST of a JSON body, as it goes over the wire."""
    sent = {"Host": "127.0.0.1", **headers}
    if body is not None:
        sent |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\n{lines}\r\n".encode() + (body or b"")


def closed_loop(
    name: str,
    *,
    port: int,
    messages: Sequence[bytes],
    requests: int,
    connections: int,
    on_answer: Callable[[], object] = lambda: None,
) -> Series:
    """Send ``requests`` of the messages in turn over ``connections`` kept-alive connections to 127.0.0.1; measure each.

    An answer that is not 200 counts as an error.

    Raises:
        OSError: the server refused or dropped a connection.
        TimeoutError: an answer took longer than ``REQUEST_SECONDS``.
    """
    return asyncio.run(_run(name, port, _at_once(islice(cycle(messages), requests)), connections, on_answer))


def open_loop(
    name: str,
    *,
    port: int,
    messages: Sequence[bytes],
    requests: int,
    rate: float,
    connections: int = OPEN_CONNECTIONS,
    on_answer: Callable[[], object] = lambda: None,
) -> Series:
    """Send ``rate`` of the messages a second, evenly, whether earlier ones were answered or not.

    A request is measured from the moment at which it is due: one that has to wait for a free connection, or for a server
    that stands still, counts its waiting.

    Raises:
        OSError, TimeoutError: as those of ``closed_loop``.
    """
    due = _evenly(islice(cycle(messages), requests), rate)
    return asyncio.run(_run(name, port, due, connections, on_answer))


def _at_once(messages: Iterator[bytes]) -> Iterator[Due]:
    return ((None, entry) for entry in messages)


def _evenly(messages: Iterator[bytes], rate: float) -> Iterator[Due]:
    return ((place / rate, entry) for place, entry in enumerate(messages))


async def _run(
    name: str, port: int, remaining: Iterator[Due], connections: int, on_answer: Callable[[], object]
) -> Series:
    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    load = _Load(remaining, on_answer)
    try:
        async with asyncio.TaskGroup() as group:
            for reader, writer in pairs:
                group.create_task(load.over(reader, writer))
    finally:
        for _, writer in pairs:
            writer.close()
    return _series(name, load.measured, time.perf_counter() - load.started)


class _Load:
    """What all connections share: the messages that remain, and what was measured of those before."""

    def __init__(self, remaining: Iterator[Due], on_answer: Callable[[], object]) -> None:
        self.remaining, self.on_answer = remaining, on_answer
        self.started = time.perf_counter()
        self.measured: list[tuple[float, int, int]] = []

    async def over(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send one message after the other over a connection, as long as any remains."""
        for due, sent in self.remaining:
            if due is not None:
                await asyncio.sleep(self.started + due - time.perf_counter())
            since = time.perf_counter() if due is None else self.started + due
            writer.write(sent)
            async with asyncio.timeout(REQUEST_SECONDS):
                status, size = await _read_answer(reader)
            self.measured.append((time.perf_counter() - since, status, size))
            self.on_answer()


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
