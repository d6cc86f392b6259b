"""What the OpenAPI document says of predictions for texts."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema

from ethics.scopes import Scope
from genomepath import described_prediction, text_prediction
from genomepath.api.examples import DOSAGE, FRAME, PRACTICE, TARGET
from genomepath.api.schema_shared import WRITING, good_answer, needs, problem_responses
from genomepath.api.serializers_texts import (
    DescribedPredictionsSerializer,
    DescribedQuestionSerializer,
    TextPredictionsSerializer,
    TextQuestionSerializer,
)

_ABSTAINS = (
    " The text is stored nowhere. Where it names or comes close to what is withheld, or is about nothing known, nothing is "
    "predicted (`abstained`), and the reason is not told."
)
TEXT_ANSWER: dict[str, Any] = {
    "direction": text_prediction.DIRECTION,
    "dose": {"level": "medium", "chosen_by": "default"},
    "k": 1,
    "abstained": False,
    "statement": "",
    "predictions": [{"rank": 1, "target": TARGET, "confidence": 0.55}],
    "synergies": [],
    "learned_from": [
        {
            "slug": "example-community",
            "name": "Example community",
            "statement": "Documented use of the example community.",
        }
    ],
    "calibration": text_prediction.CALIBRATION_NOTE,
    **FRAME,
}
DESCRIBED_ANSWER: dict[str, Any] = {
    "direction": described_prediction.DIRECTION,
    "k": 1,
    "abstained": False,
    "statement": "",
    "predictions": [{"rank": 1, "practice": PRACTICE, "confidence": 0.48, "dosage": [DOSAGE]}],
    "calibration": described_prediction.CALIBRATION_NOTE,
    **FRAME,
}

text_predictions_schema = extend_schema(
    operation_id="predict_targets_for_text",
    summary="Targets predicted for a practice in your own words",
    description="Ranks the targets of the catalogue." + _ABSTAINS + needs(Scope.TEXT),
    tags=["texts"],
    request={"application/json": TextQuestionSerializer},
    examples=[
        OpenApiExample("A text", value={"text": "An example infusion taken for sleep.", "k": 1}, request_only=True)
    ],
    responses={
        **good_answer(TextPredictionsSerializer, "Predicted targets.", TEXT_ANSWER),
        **problem_responses(*WRITING),
    },
)
described_predictions_schema = extend_schema(
    operation_id="predict_practices_for_description",
    summary="Practices predicted for a gene or findings in your own words",
    description="Ranks documented practices, each with its attribution." + _ABSTAINS + needs(Scope.TEXT),
    tags=["texts"],
    request={"application/json": DescribedQuestionSerializer},
    examples=[
        OpenApiExample(
            "A gene",
            value={"name": "an example receptor of the nervous system", "tissues": ["brain"], "k": 1},
            request_only=True,
        )
    ],
    responses={
        **good_answer(DescribedPredictionsSerializer, "Predicted practices.", DESCRIBED_ANSWER),
        **problem_responses(*WRITING),
    },
)
