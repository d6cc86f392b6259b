"""What the OpenAPI document says of the predictions."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from correlations.vocabulary import Dose
from ethics.scopes import Scope
from genomepath.api import serializers
from genomepath.api.examples import PRACTICE_ANSWER, TARGET_ANSWER
from genomepath.api.schema_shared import CONDITIONAL, needs, reading_responses
from genomepath.serving import DEFAULT_DOSE, DEFAULT_PRACTICES, DEFAULT_TARGETS, MAX_K


def _count_parameter(default: int) -> OpenApiParameter:
    return OpenApiParameter(
        "k",
        {"type": "integer", "minimum": 1, "maximum": MAX_K, "default": default},
        description=(
            "How many predictions at most. Fewer come back where fewer exist that may be used. Ranks are counted over "
            "what is shown."
        ),
    )


practice_predictions_schema = extend_schema(
    operation_id="predict_targets_for_practice",
    summary="Targets predicted for a practice",
    description=(
        "Ranks genomic targets that the model associates with a documented practice at a dose level. Every answer "
        "carries the attribution, which must be shown with it. Governance changes count at once; an edit of the "
        "catalogue may take a minute to show." + needs(Scope.PREDICTIONS)
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
        CONDITIONAL,
    ],
    responses=reading_responses(
        serializers.PracticePredictionsSerializer, "Predicted targets with attribution.", PRACTICE_ANSWER
    ),
)

target_predictions_schema = extend_schema(
    operation_id="predict_practices_for_target",
    summary="Practices predicted for a target",
    description=(
        "Ranks documented practices that the model associates with a genomic target, each with its own attribution. "
        "Practices that your audience may not see are left out, and nothing tells of them." + needs(Scope.PREDICTIONS)
    ),
    tags=["predictions"],
    parameters=[
        OpenApiParameter(
            "symbol", OpenApiTypes.STR, OpenApiParameter.PATH, description="Current HGNC symbol, in any case."
        ),
        _count_parameter(DEFAULT_PRACTICES),
        CONDITIONAL,
    ],
    responses=reading_responses(
        serializers.TargetPredictionsSerializer, "Predicted practices with attribution.", TARGET_ANSWER
    ),
)
