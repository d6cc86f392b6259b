"""What the OpenAPI document says of every endpoint: the key, the problems, the conditional request."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from ethics.scopes import Scope
from genomepath.api import serializers

_PROBLEMS = {
    400: ("Parameters are unknown, repeated or malformed; `errors` names each.", "Bad Request"),
    401: ("The key is missing, unknown, expired or revoked.", "Unauthorized"),
    403: ("The key lacks the scope, or may not be used from this network.", "Forbidden"),
    404: ("Nothing is there, or it may not be used; the two are answered with the same bytes.", "Not Found"),
    405: ("Another method; `Allow` lists those there are.", "Method Not Allowed"),
    406: ("Only `application/json` is offered.", "Not Acceptable"),
    413: ("The body has more than 512 KiB.", "Content Too Large"),
    415: ("The body is not `application/json`, or is compressed.", "Unsupported Media Type"),
    422: ("The `Idempotency-Key` came before with another body.", "Unprocessable Content"),
    429: ("The limit is reached; `Retry-After` gives the seconds to wait.", "Too Many Requests"),
    500: ("A fault on our side.", "Internal Server Error"),
    503: (
        "No model in service, its files damaged, or the database away or too slow; see `Retry-After`.",
        "Service Unavailable",
    ),
}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped library
    """Describes ``Authorization: Api-Key <key>``."""

    target_class = "ethics.api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key ` followed by your key. The audience of its client decides what is shown.",
        }


def problem_responses(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The documented problem+json answers for these statuses."""
    return {
        (status, "application/problem+json"): OpenApiResponse(
            serializers.ProblemSerializer,
            description=_PROBLEMS[status][0],
            examples=[
                OpenApiExample(
                    _PROBLEMS[status][1],
                    value={
                        "type": "about:blank",
                        "title": _PROBLEMS[status][1],
                        "status": status,
                        "detail": _PROBLEMS[status][0],
                    },
                    media_type="application/problem+json",
                    status_codes=[str(status)],
                )
            ],
        )
        for status in statuses
    }


CONDITIONAL = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of an answer you hold. 304 when it is still the answer; that too is recorded.",
)
NOT_MODIFIED = OpenApiResponse(description="The answer you hold is still right.")
READING = (400, 401, 403, 404, 405, 406, 429, 500, 503)
WRITING = (400, 401, 403, 404, 405, 406, 413, 415, 422, 429, 500, 503)
"""Statuses of a POST with a body."""


def good_answer(serializer: Any, description: str, example: dict[str, Any]) -> dict[tuple[int, str], OpenApiResponse]:
    """200 with a synthetic example; a test holds the example to the schema."""
    return {
        (200, "application/json"): OpenApiResponse(
            serializer,
            description=description,
            examples=[OpenApiExample(description.rstrip("."), value=example, status_codes=["200"])],
        )
    }


def reading_responses(serializer: Any, description: str, example: dict[str, Any]) -> dict[Any, OpenApiResponse]:
    """All answers of an endpoint that is read with GET."""
    return {**good_answer(serializer, description, example), 304: NOT_MODIFIED, **problem_responses(*READING)}


def needs(scope: Scope) -> str:
    """The sentence on the scope of a key."""
    return f" Needs the scope `{scope.value}`."
