"""Predictions over HTTP: fetch the parameters, ask ``genomepath.serving``, hand out its bytes."""

from __future__ import annotations

from django.http import HttpResponseBase
from rest_framework.request import Request

from correlations.vocabulary import Direction
from ethics.scopes import Scope
from genomepath.api.base import ClientView
from genomepath.api.parameters import check_known, dose_level, whole_number
from genomepath.api.refusals import Refusals
from genomepath.api.schema import practice_predictions_schema, target_predictions_schema
from genomepath.serving import (
    DEFAULT_PRACTICES,
    DEFAULT_TARGETS,
    MAX_K,
    PredictionQuestion,
    prediction_serve,
)


class PredictionView(ClientView):
    """Answers one question with bytes, an ETag and an audit event."""

    required_scope = Scope.PREDICTIONS

    def answer(self, question: PredictionQuestion) -> HttpResponseBase:
        """The answer, or 304 where the caller holds it already; both are recorded."""
        answer = prediction_serve(
            question=question, audience=self.audience, context=self.audit_context, revisions=self.revisions
        )
        return self.conditional(answer.body, answer.etag)


class PracticePredictionsView(PredictionView):
    """Targets predicted for a practice."""

    @practice_predictions_schema
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        query = request.query_params
        with Refusals() as refusals:
            refusals.read(check_known, query, {"dose", "k"})
            k = refusals.read(whole_number, query, "k", default=DEFAULT_TARGETS, maximum=MAX_K)
            dose = refusals.read(dose_level, query)
        return self.answer(PredictionQuestion(Direction.TK_TO_GENOMIC, slug, k, dose))


class TargetPredictionsView(PredictionView):
    """Practices predicted for a target."""

    @target_predictions_schema
    def get(self, request: Request, symbol: str) -> HttpResponseBase:
        with Refusals() as refusals:
            refusals.read(check_known, request.query_params, {"k"})
            k = refusals.read(whole_number, request.query_params, "k", default=DEFAULT_PRACTICES, maximum=MAX_K)
        return self.answer(PredictionQuestion(Direction.GENOMIC_TO_TK, symbol, k))
