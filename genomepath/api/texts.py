"""Predictions for what is not in the catalogue: a practice, a gene or findings in the caller's own words."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request

from ethics.scopes import Scope
from genomepath.api.base import ClientView, NoModelInService
from genomepath.api.questions import TextQuestion, described_question_read, text_question_read
from genomepath.api.schema_texts import described_predictions_schema, text_predictions_schema
from genomepath.described_prediction import described_predict
from genomepath.serving import NoActiveModel, SubjectNotFound
from genomepath.text_engine import ModelFolderUnreadable
from genomepath.text_prediction import text_predict


class ModelFilesDamaged(APIException):
    """503: texts can't be scored until the files of the model are whole again."""

    status_code = 503
    default_detail = "The files of the model in service can't be read. Catalogued practices and targets are answered."
    default_code = "model_files_damaged"
    wait = 60


def text_answer(view: ClientView, question: TextQuestion) -> dict[str, Any]:
    """The answer to a text for the client of the view.

    Raises:
        NoModelInService: no model is in service.
        ModelFilesDamaged: its files can't be read.
        SubjectNotFound: nobody whose knowledge the model learned from may be credited to the audience.
    """
    try:
        return text_predict(
            text=question.text,
            dose=question.dose,
            k=question.k,
            audience=view.audience,
            context=view.audit_context,
        )
    except NoActiveModel:
        raise NoModelInService from None
    except ModelFolderUnreadable:
        raise ModelFilesDamaged from None


class TextPredictionsView(ClientView):
    """Targets for a practice in the caller's own words. The text is stored nowhere."""

    http_method_names = ["post"]
    required_scope = Scope.TEXT

    @text_predictions_schema
    def post(self, request: Request) -> HttpResponseBase:
        try:
            return self.answered(text_answer(self, text_question_read(request.data)))
        except SubjectNotFound:
            raise NotFound from None


class DescribedPredictionsView(ClientView):
    """Practices for a gene or findings in the caller's own words. The description is stored nowhere."""

    http_method_names = ["post"]
    required_scope = Scope.TEXT

    @described_predictions_schema
    def post(self, request: Request) -> HttpResponseBase:
        question = described_question_read(request.data)
        try:
            content = described_predict(
                description=question.description,
                k=question.k,
                audience=self.audience,
                context=self.audit_context,
                now=timezone.now(),
            )
        except NoActiveModel:
            raise NoModelInService from None
        except ModelFolderUnreadable:
            raise ModelFilesDamaged from None
        return self.answered(content)
