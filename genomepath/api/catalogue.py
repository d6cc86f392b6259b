"""Catalogue lists: what belongs to a practice as the policy allows for display, and public reference data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from correlations.models import Correlation, DosageProfile, Practice
from correlations.vocabulary import Direction, Dose, DoseBasis, EvidenceLevel, Quality
from ethics.attribution import attribution_for
from ethics.policy import Purpose
from genomepath.answers import source_content, target_content
from genomepath.api.pages import ListView
from genomepath.api.parameters import one_of, plain_text, search_text, yes_or_no
from genomepath.api.refusals import Refusals
from genomepath.api.schema_catalogue import (
    correlation_list_schema,
    dosage_list_schema,
    evidence_list_schema,
    practice_list_schema,
    synergy_list_schema,
    target_list_schema,
)
from genomepath.catalogue import (
    correlations_shown,
    dosage_profiles_shown,
    evidence_shown,
    practices_listing_record,
    practices_shown,
    public_reading_record,
    synergies_shown,
    targets_shown,
)

Rows = TypeVar("Rows", bound=QuerySet[Any])


class PracticeBoundListView(ListView):
    """A list of what belongs to practices: each row goes with the attribution of its practice, and is recorded."""

    def attributed_page(self, rows: Iterable[tuple[Practice, dict[str, Any]]], now: datetime) -> HttpResponseBase:
        """The page, once it is recorded whose practices stand in it; without what the policy refuses after all."""
        shown = [
            (practice, {**row, "attribution": attribution})
            for practice, row in rows
            if (attribution := attribution_for(practice.item, Purpose.DISPLAY, self.audience, now)) is not None
        ]
        practices_listing_record(practices=[practice for practice, _ in shown], context=self.audit_context)
        return self.page([row for _, row in shown])


class PracticeListView(PracticeBoundListView):
    """Practices that the client's audience may see, with their attribution."""

    @practice_list_schema
    def get(self, request: Request) -> HttpResponseBase:
        query = request.query_params
        with Refusals() as refusals:
            refusals.read(self.check_query, {"search", "tradition", "condition"})
            text = refusals.read(search_text, query)
            tradition = refusals.read(plain_text, query, "tradition")
            condition = refusals.read(plain_text, query, "condition")
        now = timezone.now()
        found = practices_shown(audience=self.audience, now=now, text=text, tradition=tradition, condition=condition)
        rows: list[Practice] = self.rows_of_page(found)
        return self.attributed_page(
            ((practice, {**_practice(practice), "tradition": practice.tradition}) for practice in rows), now
        )


class CorrelationListView(PracticeBoundListView):
    """Approved correlations of practices that the client's audience may see."""

    @correlation_list_schema
    def get(self, request: Request) -> HttpResponseBase:
        query = request.query_params
        with Refusals() as refusals:
            refusals.read(self.check_query, {"practice", "target", "dose", "direction", "quality"})
            filters = {
                "practice__slug": refusals.read(plain_text, query, "practice"),
                "target__symbol__iexact": refusals.read(plain_text, query, "target"),
                "dose": refusals.read(one_of, query, "dose", Dose),
                "direction": refusals.read(one_of, query, "direction", Direction),
                "quality": refusals.read(one_of, query, "quality", Quality),
            }
        now = timezone.now()
        found = correlations_shown(audience=self.audience, now=now)
        rows: list[Correlation] = self.rows_of_page(_filtered(found, filters))
        return self.attributed_page(((row.practice, _correlation(row)) for row in rows), now)


class DosageProfileListView(PracticeBoundListView):
    """Dosage profiles of practices that the client's audience may see."""

    @dosage_list_schema
    def get(self, request: Request) -> HttpResponseBase:
        query = request.query_params
        with Refusals() as refusals:
            refusals.read(self.check_query, {"practice", "level", "basis"})
            filters = {
                "practice__slug": refusals.read(plain_text, query, "practice"),
                "level": refusals.read(one_of, query, "level", Dose),
                "basis": refusals.read(one_of, query, "basis", DoseBasis),
            }
        now = timezone.now()
        found = dosage_profiles_shown(audience=self.audience, now=now)
        rows: list[DosageProfile] = self.rows_of_page(_filtered(found, filters))
        return self.attributed_page(((row.practice, _dosage(row)) for row in rows), now)


class PublicListView(ListView):
    """A list of what is nobody's traditional knowledge; recorded as read."""

    def public_page(self, what: str, rows: list[dict[str, Any]]) -> HttpResponseBase:
        """The page, once it is recorded that it was read."""
        public_reading_record(what=what, count=len(rows), context=self.audit_context)
        return self.page(rows)


class TargetListView(PublicListView):
    """Genomic targets: public knowledge, the same for every audience."""

    @target_list_schema
    def get(self, request: Request) -> HttpResponseBase:
        with Refusals() as refusals:
            refusals.read(self.check_query, {"search"})
            text = refusals.read(search_text, request.query_params)
        rows = self.rows_of_page(targets_shown(text=text))
        return self.public_page("targets", [target_content(target) for target in rows])


class EvidenceListView(PublicListView):
    """Cited sources; of those that stand with practices, the ones of practices that the audience may see."""

    @evidence_list_schema
    def get(self, request: Request) -> HttpResponseBase:
        query = request.query_params
        with Refusals() as refusals:
            refusals.read(self.check_query, {"search", "target", "level", "verified"})
            filters = {
                "reference__icontains": refusals.read(search_text, query),
                "target__symbol__iexact": refusals.read(plain_text, query, "target"),
                "level": refusals.read(one_of, query, "level", EvidenceLevel),
            }
            verified = refusals.read(yes_or_no, query, "verified")
        found = _filtered(evidence_shown(audience=self.audience, now=timezone.now()), filters)
        if verified is not None:
            found = found.filter(verified=verified)
        return self.public_page(
            "evidence",
            [
                {
                    **source_content(source),
                    "target": source.target.symbol if source.target else None,
                    "compound": source.compound,
                    "conditions": [
                        {"name": condition.name, "mesh_id": condition.mesh_id, "mondo_id": condition.mondo_id}
                        for condition in source.conditions.all()
                    ],
                }
                for source in self.rows_of_page(found)
            ],
        )


class SynergyListView(PublicListView):
    """Documented interactions of two targets."""

    @synergy_list_schema
    def get(self, request: Request) -> HttpResponseBase:
        with Refusals() as refusals:
            refusals.read(self.check_query, {"target"})
            target = refusals.read(plain_text, request.query_params, "target")
        rows = self.rows_of_page(synergies_shown(target=target))
        return self.public_page(
            "synergies",
            [
                {
                    "targets": [pair.target_a.symbol, pair.target_b.symbol],
                    "interaction": pair.interaction,
                    "kind": pair.kind,
                    "source": source_content(pair.evidence),
                }
                for pair in rows
            ],
        )


def _filtered(rows: Rows, filters: Mapping[str, str | None]) -> Rows:
    """The rows that pass the filters that were given."""
    return rows.filter(**{name: text for name, text in filters.items() if text})


def _practice(practice: Practice) -> dict[str, str]:
    return {"slug": practice.slug, "title": practice.title}


def _correlation(row: Correlation) -> dict[str, Any]:
    return {
        "practice": _practice(row.practice),
        "target": target_content(row.target),
        "direction": row.direction,
        "dose": {"level": row.dose, "basis": row.dose_basis},
        "confidence": row.confidence,
        "quality": row.quality,
        "sources": [source_content(source) for source in row.evidence.all()],
    }


def _dosage(row: DosageProfile) -> dict[str, Any]:
    return {
        "practice": _practice(row.practice),
        "level": row.level,
        "basis": row.basis,
        "amount_range": row.amount_range,
        "note": row.note,
        "source": source_content(row.evidence) if row.evidence else None,
    }
