"""What the OpenAPI document says of batches."""

from __future__ import annotations

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers as fields

from ethics.scopes import Scope
from genomepath.api import serializers_records as serializers
from genomepath.api.examples_catalogue import BATCH_ANSWER, BATCH_QUESTIONS
from genomepath.api.idempotency import KEY_FORM
from genomepath.api.questions import MOST_QUESTIONS, MOST_TEXTS
from genomepath.api.schema_shared import WRITING, good_answer, needs, problem_responses
from genomepath.api.serializers import PracticePredictionsSerializer, TargetPredictionsSerializer
from genomepath.api.serializers_texts import TextPredictionsSerializer, TextQuestionSerializer


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="BatchQuestion",
        serializers=[
            serializers.PracticeQuestionSerializer,
            serializers.TargetQuestionSerializer,
            TextQuestionSerializer,
        ],
        resource_type_field_name=None,
    )
)
class QuestionField(fields.JSONField):
    """A question about a practice, a target or a text."""


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="BatchAnswer",
        serializers=[PracticePredictionsSerializer, TargetPredictionsSerializer, TextPredictionsSerializer],
        resource_type_field_name=None,
    )
)
class AnswerField(fields.JSONField):
    """What the single endpoint sends."""


class BatchRequestSerializer(fields.Serializer):
    questions = fields.ListField(
        child=QuestionField(),
        min_length=1,
        max_length=MOST_QUESTIONS,
        help_text=f"At most {MOST_TEXTS} of them with a text.",
    )


class BatchedResultSerializer(serializers.BatchResultSerializer):
    answer = AnswerField(required=False)


class BatchResponseSerializer(fields.Serializer):
    results = BatchedResultSerializer(many=True)
    failed = fields.IntegerField(help_text="How many questions have no answer.")
    note = fields.CharField()


batch_schema = extend_schema(
    operation_id="predict_batch",
    summary="Up to 100 questions at once",
    description=(
        f"Questions about practices, targets and texts (at most {MOST_TEXTS}), mixed. Each is answered or refused, and "
        "recorded, by itself. A batch counts as many requests as it holds questions against the limits of the minute and "
        "the day, and as one against the burst; one with more questions than these limits allow is never answered."
        + needs(Scope.PREDICTIONS)
    ),
    tags=["predictions"],
    parameters=[
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "pattern": f"^{KEY_FORM}$"},
            OpenApiParameter.HEADER,
            description=(
                "8 to 128 letters, digits, dots, colons, hyphens or underscores. The same key with the same body within a "
                "day is not charged again; with another body it is 422. A batch that the limits refused is not known."
            ),
        )
    ],
    request={"application/json": BatchRequestSerializer},
    examples=[OpenApiExample("Two questions", value=BATCH_QUESTIONS, request_only=True)],
    responses={
        **good_answer(BatchResponseSerializer, "A result for each question.", BATCH_ANSWER),
        **problem_responses(*WRITING),
    },
)
