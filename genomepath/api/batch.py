"""Up to 100 questions in one request, each answered or refused by itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpResponseBase
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from ethics.scopes import Scope
from genomepath.answers import NOT_MEDICAL_ADVICE
from genomepath.api.base import ClientView, ModelFilesDamaged
from genomepath.api.idempotency import KeyedRequest, Repetition, idempotency_key_read, repetition_of, request_keep
from genomepath.api.questions import MOST_QUESTIONS, MOST_TEXTS, TextQuestion, check_members, object_read, question_read
from genomepath.api.refusals import Refusals
from genomepath.api.schema_batch import batch_schema
from genomepath.api.strict_json import body_of
from genomepath.api.texts import text_answer
from genomepath.serving import PredictionQuestion, SubjectNotFound, prediction_serve
from genomepath.text_engine import ModelFolderUnreadable

NOT_THERE = "There is nothing under this name, or it may not be used."


class BatchView(ClientView):
    """Answers questions about practices, targets and texts, mixed. What is refused or unknown fails alone."""

    http_method_names = ["post"]
    required_scope = Scope.PREDICTIONS

    @batch_schema
    def post(self, request: Request) -> HttpResponseBase:
        body = object_read(request.data)
        with Refusals() as refusals:
            refusals.read(check_members, body, {"questions"})
            questions = refusals.read(_questions_read, body)
            idempotency_key = refusals.read(idempotency_key_read, request.headers.get("Idempotency-Key"))
        keyed = KeyedRequest(
            api_key_prefix=self.key.prefix,
            idempotency_key=idempotency_key,
            address=request.path,
            body=body_of(request),
        )
        repetition = repetition_of(keyed)
        if repetition == Repetition.FIRST:
            self.charge(len(questions) - 1)
            request_keep(keyed)
        results = [self._result(index, given) for index, given in enumerate(questions)]
        failed = sum(result["status"] != HTTPStatus.OK for result in results)
        answer = orjson.dumps({"results": results, "failed": failed, "note": NOT_MEDICAL_ADVICE})
        response = self.plain(answer)
        if repetition == Repetition.REPEATED:
            response["Idempotency-Replayed"] = "true"
        return response

    def _result(self, index: int, given: Any) -> dict[str, Any]:
        """The answer of one question, or its problem; recorded either way, except where the question is malformed."""
        try:
            question = question_read(given)
        except ValidationError as error:
            return _problem(index, HTTPStatus.BAD_REQUEST, "The question is not accepted.", error)
        try:
            if isinstance(question, TextQuestion):
                return self._text_result(index, question)
            return {"index": index, "status": int(HTTPStatus.OK), "answer": self._answer(question)}
        except SubjectNotFound:
            return _problem(index, HTTPStatus.NOT_FOUND, NOT_THERE)
        except ModelFolderUnreadable:
            return _problem(index, HTTPStatus.SERVICE_UNAVAILABLE, ModelFilesDamaged.default_detail)

    def _text_result(self, index: int, question: TextQuestion) -> dict[str, Any]:
        if Scope.TEXT not in self.key.scopes:
            return _problem(index, HTTPStatus.FORBIDDEN, f"The key lacks the scope '{Scope.TEXT}'.")
        return {"index": index, "status": int(HTTPStatus.OK), "answer": text_answer(self, question)}

    def _answer(self, question: PredictionQuestion) -> orjson.Fragment:
        """The bytes that the single endpoint would send."""
        answer = prediction_serve(question=question, audience=self.audience, context=self.audit_context)
        return orjson.Fragment(answer.body)


def _questions_read(body: dict[str, Any]) -> list[Any]:
    questions = body.get("questions")
    if not isinstance(questions, list) or not 1 <= len(questions) <= MOST_QUESTIONS:
        raise ValidationError({"questions": f"Give a list of 1 to {MOST_QUESTIONS} questions."})
    if sum(isinstance(given, dict) and "text" in given for given in questions) > MOST_TEXTS:
        raise ValidationError({"questions": f"Give at most {MOST_TEXTS} questions with a text."})
    return questions


def _problem(index: int, status: HTTPStatus, detail: str, error: ValidationError | None = None) -> dict[str, Any]:
    problem: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    if error is not None and isinstance(error.detail, dict):
        problem["errors"] = [{"parameter": name, "detail": str(text)} for name, text in error.detail.items()]
    return {"index": index, "status": int(status), "problem": problem}
