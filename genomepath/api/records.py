"""Single records: why something was predicted, the model card, how to credit a community, what one asked for oneself."""

from __future__ import annotations

from datetime import date

from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from correlations.vocabulary import Direction
from ethics.scopes import Scope
from genomepath.api.base import ClientView
from genomepath.api.parameters import check_known, day, dose_level
from genomepath.api.refusals import Refusals
from genomepath.api.schema_records import (
    attribution_schema,
    model_card_schema,
    practice_explanation_schema,
    target_explanation_schema,
    usage_schema,
)
from genomepath.catalogue import public_reading_record
from genomepath.client_usage import MOST_DAYS, client_usage
from genomepath.community_credit import community_credit
from genomepath.explanations import explanation_serve
from genomepath.model_card import model_card

USAGE_DAYS = 30


class TargetExplanationView(ClientView):
    """Why a target is predicted for a practice."""

    required_scope = Scope.PREDICTIONS

    @target_explanation_schema
    def get(self, request: Request, slug: str, symbol: str) -> HttpResponseBase:
        with Refusals() as refusals:
            refusals.read(check_known, request.query_params, {"dose"})
            dose = refusals.read(dose_level, request.query_params)
        content = explanation_serve(
            slug=slug,
            symbol=symbol,
            direction=Direction.TK_TO_GENOMIC,
            dose=dose,
            audience=self.audience,
            context=self.audit_context,
            now=timezone.now(),
        )
        return self.answered(content)


class PracticeExplanationView(ClientView):
    """Why a practice is predicted for a target."""

    required_scope = Scope.PREDICTIONS

    @practice_explanation_schema
    def get(self, request: Request, symbol: str, slug: str) -> HttpResponseBase:
        check_known(request.query_params, ())
        content = explanation_serve(
            slug=slug,
            symbol=symbol,
            direction=Direction.GENOMIC_TO_TK,
            dose=None,
            audience=self.audience,
            context=self.audit_context,
            now=timezone.now(),
        )
        return self.answered(content)


class ModelCardView(ClientView):
    """The model in service and its measured quality."""

    required_scope = Scope.MODEL

    @model_card_schema
    def get(self, request: Request) -> HttpResponseBase:
        check_known(request.query_params, ())
        content = model_card()
        public_reading_record(what="model", count=1, context=self.audit_context)
        return self.answered(content)


class AttributionView(ClientView):
    """How a community wishes to be credited."""

    required_scope = Scope.ATTRIBUTION

    @attribution_schema
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        check_known(request.query_params, ())
        content = community_credit(slug=slug, audience=self.audience, context=self.audit_context, now=timezone.now())
        return self.answered(content)


class UsageView(ClientView):
    """What the client itself asked for."""

    required_scope = Scope.USAGE

    @usage_schema
    def get(self, request: Request) -> HttpResponseBase:
        today = timezone.now().date()
        with Refusals() as refusals:
            refusals.read(check_known, request.query_params, {"from", "to"})
            last = refusals.read(day, request.query_params, "to") or today
            given = refusals.read(day, request.query_params, "from")
        first = given or date.fromordinal(max(1, min(last, today).toordinal() - USAGE_DAYS + 1))
        if not 0 <= (last - first).days < MOST_DAYS:
            raise ValidationError({"from": f"Give from 1 to {MOST_DAYS} days, the first one first."})
        content = client_usage(client_id=self.key.client_id, first=first, last=last)
        public_reading_record(what="usage", count=content["total"], context=self.audit_context)
        return self.answered({"organisation": self.key.organisation, "audience": self.audience.value, **content})
