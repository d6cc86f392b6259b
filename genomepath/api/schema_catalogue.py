"""What the OpenAPI document says of the catalogue lists."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema

from correlations.vocabulary import Direction, Dose, DoseBasis, EvidenceLevel, Quality
from ethics.scopes import Scope
from genomepath.api import examples_catalogue as examples
from genomepath.api import serializers_catalogue as serializers
from genomepath.api.cursors import CURSOR_FORM
from genomepath.api.schema_shared import CONDITIONAL, needs, reading_responses

_GOVERNED = (
    "Shows what your audience may see, each row with the attribution that must be shown with it. There is no total, so that "
    "nothing tells of what is withheld." + needs(Scope.CATALOGUE)
)
_PUBLIC = "Public reference data, the same for every audience." + needs(Scope.CATALOGUE)
_WITHOUT_NUL = r"^[^\u0000]*$"
_CURSOR = OpenApiParameter(
    "cursor",
    {"type": "string", "pattern": f"^{CURSOR_FORM}$"},
    description="From `next` or `previous` of another page of this list; any other text is refused.",
)


def _search(what: str) -> OpenApiParameter:
    schema = {"type": "string", "maxLength": 100, "pattern": _WITHOUT_NUL}
    return OpenApiParameter("search", schema, description=f"Text to look for in {what}, in any case.")


def _exactly(name: str, description: str) -> OpenApiParameter:
    schema = {"type": "string", "maxLength": 300, "pattern": _WITHOUT_NUL}
    return OpenApiParameter(name, schema, description=description)


def _one_of(name: str, values: type[StrEnum]) -> OpenApiParameter:
    return OpenApiParameter(
        name, {"type": "string", "enum": [value.value for value in values]}, description=f"Only rows of this {name}."
    )


def _list_schema(
    operation: str, summary: str, description: str, parameters: list[OpenApiParameter], answer: tuple[Any, Any]
) -> Any:
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description=description,
        tags=["catalogue"],
        parameters=[*parameters, _CURSOR, CONDITIONAL],
        responses=reading_responses(answer[0], "A page of the list.", answer[1]),
    )


_PRACTICE = _exactly("practice", "Slug of a practice. One that is withheld and one that does not exist give no rows.")
_TARGET = _exactly("target", "HGNC symbol, in any case.")

practice_list_schema = _list_schema(
    "list_practices",
    "Practices that your audience may see",
    _GOVERNED,
    [
        _search("title, slug and tradition"),
        _exactly("tradition", "The whole name of a tradition, in any case."),
        _exactly("condition", "The whole name of a documented use, in any case."),
    ],
    (serializers.PracticePageSerializer, examples.PRACTICE_PAGE),
)
target_list_schema = _list_schema(
    "list_targets",
    "Genomic targets of the catalogue",
    _PUBLIC,
    [_search("symbol and name")],
    (serializers.TargetPageSerializer, examples.TARGET_PAGE),
)
correlation_list_schema = _list_schema(
    "list_correlations",
    "Approved correlations between practices and targets",
    _GOVERNED,
    [_PRACTICE, _TARGET, _one_of("dose", Dose), _one_of("direction", Direction), _one_of("quality", Quality)],
    (serializers.CorrelationPageSerializer, examples.CORRELATION_PAGE),
)
dosage_list_schema = _list_schema(
    "list_dosage_profiles",
    "Dosage profiles of practices",
    _GOVERNED + " `modelled`: no source resolves the dose.",
    [_PRACTICE, _one_of("level", Dose), _one_of("basis", DoseBasis)],
    (serializers.DosageProfilePageSerializer, examples.DOSAGE_PAGE),
)
evidence_list_schema = _list_schema(
    "list_evidence",
    "Cited sources",
    "Sources that stand with practices are shown where your audience may see one of the practices."
    + needs(Scope.CATALOGUE),
    [
        _search("the reference"),
        _TARGET,
        _one_of("level", EvidenceLevel),
        OpenApiParameter(
            "verified",
            {"type": "string", "enum": ["true", "false"]},
            description="Whether a curator has checked the citation.",
        ),
    ],
    (serializers.EvidencePageSerializer, examples.EVIDENCE_PAGE),
)
synergy_list_schema = _list_schema(
    "list_synergies",
    "Documented interactions of two targets",
    _PUBLIC,
    [_TARGET],
    (serializers.SynergyPageSerializer, examples.SYNERGY_PAGE),
)
