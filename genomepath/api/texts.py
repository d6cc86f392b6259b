"""Predictions for what is not in the catalogue: a practice, a gene or findings in the caller's own words."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from ethics.scopes import Scope
from genomepath.api.base import ClientView
from genomepath.api.questions import TextQuestion, described_question_read, text_question_read
from genomepath.api.schema_texts import described_predictions_schema, text_predictions_schema
from genomepath.described_prediction import described_predict
from genomepath.text_prediction import text_predict


def text_answer(view: ClientView, question: TextQuestion) -> dict[str, Any]:
    """The answer to a text for the client of the view.

    Raises:
        NoActiveModel: no model is in service.
        ModelFolderUnreadable: its files can't be read.
        SubjectNotFound: nobody whose knowledge the model learned from may be credited to the audience.
    """
    return text_predict(
        text=question.text, dose=question.dose, k=question.k, audience=view.audience, context=view.audit_context
    )


class TextPredictionsView(ClientView):
    """Targets for a practice in the caller's own words. The text is stored nowhere."""

    http_method_names = ["post"]
    required_scope = Scope.TEXT

    @text_predictions_schema
    def post(self, request: Request) -> HttpResponseBase:
        return self.answered(text_answer(self, text_question_read(request.data)))


class DescribedPredictionsView(ClientView):
    """Practices for a gene or findings in the caller's own words. The description is stored nowhere."""

    http_method_names = ["post"]
    required_scope = Scope.TEXT

    @described_predictions_schema
    def post(self, request: Request) -> HttpResponseBase:
        question = described_question_read(request.data)
        content = described_predict(
            description=question.description,
            k=question.k,
            audience=self.audience,
            context=self.audit_context,
            now=timezone.now(),
        )
        return self.answered(content)
