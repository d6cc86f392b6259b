"""Sends what no well-meaning client would, and holds every answer to the OpenAPI document."""

from __future__ import annotations

import gzip
import http.client
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jsonschema import Draft202012Validator

MEGABYTE = 1_000_000
PROBLEM = "application/problem+json"
REFUSED_EARLY = frozenset({400, 414, 431})
"""Before the application sees anything: granian's, without a body, for what is no HTTP or too long; unknown hosts."""

TEXTS = (
    "", " ", "\x00", "a\x00b", "\x1f", "\x7f", "\u0085", "\u202eright to left\u202c", "שלום", "مرحبا", "🌿" * 40, "\ufeff",
    "\uffff", "e" + "\u0301" * 200, "%00", "%", "../../etc/passwd", "a/b", "' OR 1=1 --", "{{7*7}}", "-1", "0", "1e309",
    "9" * 400, "NaN", "0x10", "\u0661\u0662", "true", "null", "0000-00-00", "9999-12-31", "0001-01-01", "a" * 5000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    *TEXTS, None, True, -1, 0, 10**30, 10**39, -(2**63), 1.5, 1e300, [], {}, [[]], {"": {}}, ["\x00"], [None] * 200,
    "a" * MEGABYTE, "\u202e" * 3000, "\U0010ffff" * 3000,
)  # fmt: skip
BODIES = (
    b"", b"\x00", b"\xff\xfe", b"null", b'"a"', b"9" * 5000, b"1e999", b"-", b"[" * 100_000, b'{"a":' * 20_000, b"{}{}",
    b'{"text": "a", "text": "b"}', b'{"text": "\\ud800"}', b'{"text": "\xed\xa0\x80"}', b'{"text": NaN}', b"\xef\xbb\xbf{}",
    '{"text": "äöü"}'.encode("latin-1"), '{"text": "a"}'.encode("utf-16"), '{"text": "a"}'.encode("utf-32"), b"+ADw-",
    b'{"text": "' + b"a" * MEGABYTE + b'"}', b'{"' + b"a" * 200_000 + b'": 1}', b"a=1&b=2",
    b'"' + b'\\"' * 250_000, b'{"questions": ["' + b'\\"' * 250_000, b'"' + b"\\" * 500_001, b'"\\' * 170_000,
)  # fmt: skip
HEADER_NAMES = (
    "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Encoding", "Content-Type", "Cookie", "Expect",
    "Idempotency-Key", "If-Match", "If-None-Match", "Origin", "Range", "X-Forwarded-For", "X-HTTP-Method-Override",
    "X-Request-ID",
)  # fmt: skip
_HEADER_VALUES = (
    b"", b"*", b"a\xff\xfeb", b",", b'"', b"\xe2\x80\xaeabc", b"9" * 400, b"a" * 8000, b"application/json;q=x", b"utf-7",
    b"W/", b"bytes=0-0", b"application/json; charset=utf-16", b"application/json; charset=\xff", b"gzip",
)  # fmt: skip
HEADERS: tuple[tuple[str, bytes], ...] = (
    *((name, value) for name in HEADER_NAMES for value in _HEADER_VALUES),
    ("Content-Type", b"multipart/form-data; boundary=x"),
    ("Content-Type", b"application/x-www-form-urlencoded"),
    ("Authorization", b"Api-Key " + b"a" * 8000),
    ("Authorization", b"Api-Key a.b c"),
    ("Authorization", b"Api-Key \xff.\xff"),
    ("X-Padding", b"a" * 100_000),
    ("Host", b"example.org"),
    ("Host", b"a\xffb"),
    ("Host", b"127.0.0.1:99999999"),
)


@dataclass(frozen=True)
class Operation:
    """One method of one address of the document."""

    method: str
    address: str
    described: Mapping[str, Any]

    def parameters(self, place: str) -> list[str]:
        """The names of its parameters in the path, the query or the headers."""
        return [entry["name"] for entry in self.described.get("parameters", ()) if entry["in"] == place]

    @property
    def statuses(self) -> set[int]:
        """The documented statuses."""
        return {int(status) for status in self.described["responses"]}


@dataclass
class Prober:
    """Sends requests to a site with a key and notes what is not as documented."""

    url: str
    key: str
    known: Mapping[str, str]
    """A good value of each parameter in a path."""
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _validated: set[tuple[str, int, bytes]] = field(default_factory=set)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document of the site."""
        status, _, body = self._exchange("GET", "/api/schema/", {"Accept": b"application/vnd.oai.openapi+json"}, None)
        assert status == 200
        document: dict[str, Any] = json.loads(body)
        return document

    @cached_property
    def operations(self) -> list[Operation]:
        """All operations of the document."""
        return [
            Operation(method.upper(), address, described)
            for address, methods in self.document["paths"].items()
            for method, described in methods.items()
        ]

    def target(self, operation: Operation, path: Mapping[str, str] | None = None, query: str = "") -> str:
        """The address with its path filled in, with known names where none are given."""
        names = {**self.known, **(path or {})}
        address = operation.address
        for name in operation.parameters("path"):
            address = address.replace(f"{{{name}}}", quote(names[name], safe=""))
        return f"{address}?{query}" if query else address

    def probe(
        self,
        operation: Operation,
        target: str,
        *,
        headers: Mapping[str, bytes] | None = None,
        body: bytes | None = None,
        method: str = "",
    ) -> None:
        """Send it, and note what the answer has that the document has not."""
        sent = {"Authorization": f"Api-Key {self.key}".encode(), "Content-Type": b"application/json", **(headers or {})}
        status, received, content = self._exchange(method or operation.method, target, sent, body)
        self.statuses[status] += 1
        fault = self._fault(operation, status, received, content)
        if fault:
            self.faults.append(
                f"{method or operation.method} {target[:300]} {headers} {(body or b'')[:200]!r}: {fault}"
            )

    def _fault(self, operation: Operation, status: int, headers: Mapping[str, str], content: bytes) -> str:
        if "x-request-id" not in headers:
            is_early = status in REFUSED_EARLY and (not content or headers.get("content-type") == PROBLEM)
            return "" if is_early else f"{status} without a request id: {content[:200]!r}"
        if status not in operation.statuses:
            return f"{status} is not documented: {content[:200]!r}"
        if status >= 500:
            return f"{status}: {content[:200]!r}"
        media = {"200": "application/json", "304": ""}.get(str(status), PROBLEM)
        if headers.get("content-type", "") != media:
            return f"{status} as {headers.get('content-type')!r}"
        if not media:
            return "304 with a body" if content else ""
        return self._schema_fault(operation, status, media, content)

    def _schema_fault(self, operation: Operation, status: int, media: str, content: bytes) -> str:
        seen = (f"{operation.method} {operation.address}", status, content)
        if seen in self._validated:
            return ""
        schema = operation.described["responses"][str(status)]["content"][media]["schema"]
        validator = Draft202012Validator({**schema, "components": self.document["components"]})
        errors = [error.message[:200] for error in validator.iter_errors(json.loads(content))]
        if not errors:
            self._validated.add(seen)
        return f"{status} against its schema: {errors}" if errors else ""

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, bytes], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        wire = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            wire.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in {**headers, "Content-Length": str(len(body or b"")).encode()}.items():
                wire.putheader(name, value)
            # Where it answers before everything was sent, the answer is there to be read.
            with suppress(BrokenPipeError, ConnectionResetError):
                wire.endheaders(body)
            response = wire.getresponse()
            found = {name.lower(): text for name, text in response.getheaders()}
            content = response.read()
            return response.status, found, gzip.decompress(content) if "content-encoding" in found else content
        finally:
            wire.close()


def hostile_queries(names: list[str]) -> Iterator[str]:
    """Every hostile text for each parameter and for all at once; parameters twice, without a value, and of unknown names."""
    for name in names:
        for text in TEXTS:
            yield urlencode({name: text})
        yield from (name, f"{name}=%ff%fe", f"{name}=1&{name}=2", f"{name}[]=1", f"{name}=%u0041", f"{name}=a;b")
    for text in TEXTS:
        yield urlencode(dict.fromkeys(names, text))
        yield urlencode({text: "1"})
    yield from (
        "&" * 50,
        "=",
        "a=" + "b" * 60_000,
        "a=" + "b" * MEGABYTE,
        "&".join(f"p{number}=1" for number in range(2000)),
    )
