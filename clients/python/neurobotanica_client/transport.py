"""Requests and answers of the client, by the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen


class ApiProblem(Exception):
    """An answer that is an error, as RFC 9457 describes it.

    ``errors`` names the parameters that were not accepted; ``retry_after`` are the seconds to wait, where the platform
    said so; ``request_id`` names the request in the platform's log.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.status = status
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        self.errors: list[dict[str, str]] = list(problem.get("errors", []))
        self.request_id = headers.get("X-Request-ID", "")
        after = headers.get("Retry-After", "")
        self.retry_after = int(after) if after.isdigit() else None
        named = "; ".join(f"{error['parameter']}: {error['detail']}" for error in self.errors)
        super().__init__(f"{status} {self.title}: {self.detail}{f' ({named})' if named else ''}")


class Transport:
    """Sends requests to one platform with one key.

    Args:
        url: where the platform is, such as https://api.example.org
        key: the API key
        timeout: seconds to wait for an answer
    """

    def __init__(self, url: str, key: str, timeout: float = 10.0) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError("the address must begin with http:// or https://")
        self._url, self._key, self._timeout = url.rstrip("/"), key, timeout

    @staticmethod
    def quoted(text: str) -> str:
        """A text as one part of a path."""
        return quote(text, safe="")

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Any = None,
    ) -> Any:
        """The JSON of the answer.

        Raises:
            ApiProblem: the answer is an error.
            OSError: no answer came.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        address = f"{self._url}{path}{'?' + urlencode(given) if given else ''}"
        sent = {"Authorization": f"Api-Key {self._key}", "Accept": "application/json"}
        sent |= {name: value for name, value in (headers or {}).items() if value is not None}
        data = None
        if body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = Request(address, data=data, headers=sent, method=method)  # noqa: S310  the scheme is checked above
        try:
            with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                return _read(answer)
        except HTTPError as error:
            raise ApiProblem(error.code, _problem(error), dict(error.headers)) from None

    def each(self, list_rows: Callable[..., Any], **filters: Any) -> Iterator[Any]:
        """Every row of a list, page after page: ``client.each(client.list_targets, search="receptor")``."""
        page = list_rows(**filters)
        while True:
            yield from page["results"]
            if page["next"] is None:
                return
            after = urlsplit(page["next"])
            page = self.ask("GET", f"{after.path}?{after.query}")


def _read(answer: HTTPResponse) -> Any:
    return json.loads(answer.read())


def _problem(error: HTTPError) -> Mapping[str, Any]:
    try:
        found = json.loads(error.read())
    except ValueError:
        return {"title": error.reason}
    return found if isinstance(found, dict) else {"title": error.reason}
