"""What the OpenAPI document says of explanations, the model card, attributions and usage."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from correlations.vocabulary import Dose
from ethics.scopes import Scope
from genomepath.api import examples_catalogue as examples
from genomepath.api import serializers_records as serializers
from genomepath.api.schema_shared import CONDITIONAL, needs, reading_responses
from genomepath.client_usage import MOST_DAYS

_EXPLAINED = (
    "The evidence path that a curator approved, step by step. Where there is none, the nearest approved associations of the "
    "target that the model learned from, each with the attribution of its practice. `score` says what each field of the "
)
_SLUG = OpenApiParameter("slug", OpenApiTypes.STR, OpenApiParameter.PATH, description="Slug of the practice.")
_SYMBOL = OpenApiParameter("symbol", OpenApiTypes.STR, OpenApiParameter.PATH, description="HGNC symbol, in any case.")

target_explanation_schema = extend_schema(
    operation_id="explain_prediction",
    summary="Why a target is predicted for a practice",
    description=f"{_EXPLAINED}practice adds." + needs(Scope.PREDICTIONS),
    tags=["predictions"],
    parameters=[
        _SLUG,
        _SYMBOL,
        OpenApiParameter(
            "dose",
            {"type": "string", "enum": [dose.value for dose in Dose], "default": "medium"},
            description="Dose level of the prediction.",
        ),
        CONDITIONAL,
    ],
    responses=reading_responses(serializers.ExplanationSerializer, "The explanation.", examples.EXPLANATION),
)
practice_explanation_schema = extend_schema(
    operation_id="explain_prediction_of_practice",
    summary="Why a practice is predicted for a target",
    description=f"{_EXPLAINED}target adds." + needs(Scope.PREDICTIONS),
    tags=["predictions"],
    parameters=[_SYMBOL, _SLUG, CONDITIONAL],
    responses=reading_responses(
        serializers.ExplanationSerializer, "The explanation.", examples.EXPLANATION_OF_PRACTICE
    ),
)
model_card_schema = extend_schema(
    operation_id="read_model_card",
    summary="The model in service and its measured quality",
    description="Metrics are fractions with 95% intervals, the model beside every baseline." + needs(Scope.MODEL),
    tags=["model"],
    parameters=[CONDITIONAL],
    responses=reading_responses(serializers.ModelCardSerializer, "The model card.", examples.MODEL_CARD),
)
attribution_schema = extend_schema(
    operation_id="read_attribution",
    summary="How a community wishes to be credited",
    description="404 where nothing of the community may be shown to your audience." + needs(Scope.ATTRIBUTION),
    tags=["attribution"],
    parameters=[
        OpenApiParameter("slug", OpenApiTypes.STR, OpenApiParameter.PATH, description="Slug of the community."),
        CONDITIONAL,
    ],
    responses=reading_responses(
        serializers.CommunityAttributionSerializer, "The attribution.", examples.COMMUNITY_ATTRIBUTION
    ),
)
usage_schema = extend_schema(
    operation_id="read_own_usage",
    summary="What your organisation asked for",
    description=f"Counted from the audit log, by day (UTC) and kind, at most {MOST_DAYS} days." + needs(Scope.USAGE),
    tags=["usage"],
    parameters=[
        OpenApiParameter("from", OpenApiTypes.DATE, description="First day; 30 days up to `to` without it."),
        OpenApiParameter("to", OpenApiTypes.DATE, description="Last day; today without it."),
        CONDITIONAL,
    ],
    responses=reading_responses(serializers.UsageSerializer, "Your usage.", examples.USAGE),
)
