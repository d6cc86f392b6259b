"""What the OpenAPI document says of each endpoint."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from correlations.vocabulary import Dose
from genomepath.api import serializers
from genomepath.api.examples import PRACTICE_ANSWER, TARGET_ANSWER
from genomepath.serving import DEFAULT_DOSE, DEFAULT_PRACTICES, DEFAULT_TARGETS, MAX_K

_PROBLEMS = {
    400: ("A parameter is unknown, repeated or malformed; `errors` names it.", "Bad Request"),
    401: ("The key is missing, unknown, expired or revoked.", "Unauthorized"),
    404: ("Nothing is there, or it may not be used; the two are answered with the same bytes.", "Not Found"),
    405: ("Only GET and HEAD.", "Method Not Allowed"),
    406: ("Only `application/json` is offered.", "Not Acceptable"),
    429: ("The limit is reached; `Retry-After` gives the seconds to wait.", "Too Many Requests"),
    500: ("A fault on our side.", "Internal Server Error"),
    503: ("No model in service, or the database is away; see `Retry-After`.", "Service Unavailable"),
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


def _count_parameter(default: int) -> OpenApiParameter:
    return OpenApiParameter(
        "k",
        {"type": "integer", "minimum": 1, "maximum": MAX_K, "default": default},
        description=(
            "How many predictions at most. Fewer come back where fewer exist that may be used. Ranks are counted over "
            "what is shown."
        ),
    )


_CONDITIONAL = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of an answer you hold. 304 when it is still the answer; that too is recorded.",
)
_NOT_MODIFIED = OpenApiResponse(description="The answer you hold is still right.")
_ALL = (400, 401, 404, 405, 406, 429, 500, 503)

practice_predictions_schema = extend_schema(
    operation_id="predict_targets_for_practice",
    summary="Targets predicted for a practice",
    description=(
        "Ranks genomic targets that the model associates with a documented practice at a dose level. Every answer "
        "carries the attribution, which must be shown with it. Governance changes count at once; an edit of the "
        "catalogue may take a minute to show."
    ),
    tags=["predictions"],
    parameters=[
        OpenApiParameter("slug", OpenApiTypes.STR, OpenApiParameter.PATH, description="Slug of the practice."),
        OpenApiParameter(
            "dose",
            {"type": "string", "enum": [dose.value for dose in Dose], "default": DEFAULT_DOSE.value},
            description=(
                f"Dose level. Without it the answer is for `{DEFAULT_DOSE.value}`, and `dose.chosen_by` says `default`."
            ),
        ),
        _count_parameter(DEFAULT_TARGETS),
        _CONDITIONAL,
    ],
    responses={
        (200, "application/json"): OpenApiResponse(
            serializers.PracticePredictionsSerializer,
            description="Predicted targets with attribution.",
            examples=[OpenApiExample("Predicted targets", value=PRACTICE_ANSWER, status_codes=["200"])],
        ),
        304: _NOT_MODIFIED,
        **problem_responses(*_ALL),
    },
)

target_predictions_schema = extend_schema(
    operation_id="predict_practices_for_target",
    summary="Practices predicted for a target",
    description=(
        "Ranks documented practices that the model associates with a genomic target, each with its own attribution. "
        "Practices that your audience may not see are left out, and nothing tells of them."
    ),
    tags=["predictions"],
    parameters=[
        OpenApiParameter(
            "symbol", OpenApiTypes.STR, OpenApiParameter.PATH, description="Current HGNC symbol, in any case."
        ),
        _count_parameter(DEFAULT_PRACTICES),
        _CONDITIONAL,
    ],
    responses={
        (200, "application/json"): OpenApiResponse(
            serializers.TargetPredictionsSerializer,
            description="Predicted practices with attribution.",
            examples=[OpenApiExample("Predicted practices", value=TARGET_ANSWER, status_codes=["200"])],
        ),
        304: _NOT_MODIFIED,
        **problem_responses(*_ALL),
    },
)

_LIST_PARAMETERS = [
    OpenApiParameter("search", OpenApiTypes.STR, description="Words to look for, at most 100 characters."),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` or `previous` of another page."),
]
_LIST_PROBLEMS = problem_responses(400, 401, 404, 405, 406, 429, 500, 503)

practice_list_schema = extend_schema(
    operation_id="list_practices",
    summary="Practices that your audience may see",
    tags=["catalogue"],
    parameters=_LIST_PARAMETERS,
    responses={(200, "application/json"): serializers.PracticePageSerializer, **_LIST_PROBLEMS},
)
target_list_schema = extend_schema(
    operation_id="list_targets",
    summary="Genomic targets of the catalogue",
    tags=["catalogue"],
    parameters=_LIST_PARAMETERS,
    responses={(200, "application/json"): serializers.TargetPageSerializer, **_LIST_PROBLEMS},
)
