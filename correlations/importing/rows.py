"""The rows of the Phase 3 export, typed: genes, practices, correlations."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from correlations.importing.citations import Citation, read_citation
from correlations.importing.errors import Reason, RowProblem
from correlations.importing.fields import Fields, plain_words
from correlations.vocabulary import Direction, Dose

TARGETS_FILE = "genomic_targets.json"
PRACTICES_FILE = "tk_practices.json"
CORRELATIONS_FILE = "training_correlations.json"
# In the order of reading: a correlation needs its practice and its target.
FILES: tuple[tuple[str, str, type], ...] = (
    (TARGETS_FILE, "genes", dict),
    (PRACTICES_FILE, "practices", list),
    (CORRELATIONS_FILE, "correlations", list),
)

_PREDICTED = re.compile(r"Traditional Practice (\S+)")
_CONFIDENCE_PARTS = ("tissue_confidence", "pathway_confidence", "disease_confidence", "literature_confidence")
_DIRECTIONS = tuple(direction.value for direction in Direction)
_DOSES = tuple(dose.value for dose in Dose)
# A row of a genomic_to_tk correlation names no dose and the catalogue needs one. One row at the middle level, marked as
# modelled, keeps the count of what was found; three rows would triple it.
DOSE_WHERE_NONE_IS_NAMED = Dose.MEDIUM.value


@dataclass(frozen=True)
class Citations:
    """The citations of a row that can be looked up, and how many placeholders were dropped."""

    real: tuple[Citation, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class DiseaseCount:
    """A condition that the export links to a gene, with the number of studies it counts."""

    name: str
    study_count: int


@dataclass(frozen=True)
class GeneRow:
    """A member of ``genes``; ``name`` is what the export calls the gene."""

    name: str
    gene_type: str
    pathways: tuple[str, ...]
    tissues: tuple[str, ...]
    diseases: tuple[DiseaseCount, ...]
    citations: Citations


@dataclass(frozen=True)
class PracticeRow:
    """An element of ``practices``."""

    practice_id: str
    name: str
    community: str
    is_ceremonial: bool
    preparation: str
    indications: tuple[str, ...]
    contraindications: tuple[str, ...]
    cultural_context: str
    traditional_dosage: str
    evidence_level: str
    consent_status: str
    attribution_notes: str
    citations: Citations


@dataclass(frozen=True)
class CorrelationRow:
    """An element of ``correlations``. ``practice_id`` is '' where the row names no practice by id."""

    correlation_id: str
    direction: str
    practice_id: str
    target: str
    dose: str
    dose_range: str
    mechanism: str
    confidence: float
    parts: tuple[tuple[str, float], ...]
    citations: Citations


def read_gene(value: object, key: str) -> GeneRow:
    """A gene. Raises RowProblem."""
    fields = Fields(value)
    name = fields.text("gene_id", limit=120)
    if key and key != name:
        raise RowProblem(
            Reason.FIELD_VALUE, "Field 'gene_id' differs from the key of the member: make them equal and replay."
        )
    return GeneRow(
        name=name,
        gene_type=plain_words(fields.text("gene_type", limit=120, required=False)),
        pathways=fields.terms("pathways", limit=120, required=False),
        tissues=fields.terms("tissues", limit=120, required=False),
        diseases=tuple(
            DiseaseCount(plain_words(entry.text("condition", limit=200)), entry.count("study_count"))
            for entry in fields.objects("associated_conditions")
        ),
        citations=_citations(fields),
    )


def is_surely_plain(value: object) -> bool:
    """Whether a practice row says in so many words that it isn't ceremonial. Anything else is treated as sacred."""
    return isinstance(value, dict) and value.get("ceremonial_significance") is False


def practice_id_of(value: object) -> str:
    """The id of a practice row, '' where it has none; read before everything else."""
    practice_id = value.get("practice_id") if isinstance(value, dict) else None
    return practice_id.strip() if isinstance(practice_id, str) else ""


def read_practice(value: object) -> PracticeRow:
    """A practice. Raises RowProblem."""
    fields = Fields(value)
    method = fields.text("preparation_method", required=False)
    notes = fields.text("preparation_notes", required=False)
    return PracticeRow(
        practice_id=fields.text("practice_id", limit=80),
        name=fields.text("practice_name", limit=300),
        community=fields.text("source_community_id", limit=80),
        is_ceremonial=fields.flag("ceremonial_significance"),
        preparation=". ".join(part.rstrip(".") for part in (method, notes) if part),
        indications=fields.terms("indications", limit=200),
        contraindications=fields.terms("contraindications", limit=300, required=False),
        cultural_context=fields.text("cultural_context", required=False),
        traditional_dosage=fields.text("traditional_dosage", limit=200, required=False),
        evidence_level=fields.text("evidence_level", limit=120, required=False),
        consent_status=fields.text("community_consent_status", limit=120),
        attribution_notes=fields.text("attribution_notes", limit=2000, required=False),
        citations=_citations(fields, "literature_sources"),
    )


def read_correlation(value: object) -> CorrelationRow:
    """A correlation. Raises RowProblem."""
    fields = Fields(value)
    direction = fields.choice("direction", _DIRECTIONS)
    from_practice = direction == Direction.TK_TO_GENOMIC.value
    return CorrelationRow(
        correlation_id=fields.text("correlation_id", limit=80),
        direction=direction,
        practice_id=fields.text("tk_practice_id", limit=80) if from_practice else _predicted_practice(fields),
        target=fields.text("genomic_target", limit=300),
        dose=fields.choice("dosage", _DOSES) if from_practice else DOSE_WHERE_NONE_IS_NAMED,
        dose_range=fields.text("dosage_range", limit=120, required=False),
        mechanism=fields.text("mechanism", required=False),
        confidence=fields.share("confidence", above_zero=True),
        parts=tuple((part, fields.share(part)) for part in _CONFIDENCE_PARTS if fields.has(part)),
        citations=_citations(fields),
    )


def named_practice_id(value: object) -> str:
    """The practice id that a correlation row names in either way, '' where it names none; for rows that don't read."""
    if not isinstance(value, dict):
        return ""
    given = value.get("tk_practice_id")
    if isinstance(given, str):
        return given.strip()
    predicted = value.get("tk_practice_predicted")
    match = _PREDICTED.fullmatch(predicted.strip()) if isinstance(predicted, str) else None
    return match.group(1) if match else ""


def content_digest(value: object) -> bytes:
    """A hash of a correlation row without its id and date: rows that differ in these alone are one row.

    Raises RowProblem where the row is nested too deeply to be written as text.
    """
    if isinstance(value, dict):
        value = {key: entry for key, entry in value.items() if key not in {"correlation_id", "generated_date"}}
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise RowProblem(Reason.FIELD_TYPE, "The row is nested too deeply: flatten it and replay.") from error
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _predicted_practice(fields: Fields) -> str:
    """The id inside a text such as 'Traditional Practice TK_0018'; a curator may also give ``tk_practice_id``."""
    if fields.has("tk_practice_id"):
        return fields.text("tk_practice_id", limit=80)
    match = _PREDICTED.fullmatch(fields.text("tk_practice_predicted", limit=300))
    if match is None:
        raise RowProblem(
            Reason.PRACTICE_UNNAMED,
            "Field 'tk_practice_predicted' names no practice id: set 'tk_practice_id' to the practice that is meant and "
            "replay, or dismiss the row.",
        )
    return match.group(1)


def _citations(fields: Fields, field: str = "evidence_sources") -> Citations:
    given = fields.texts(field, limit=2000, required=False)
    read = [(text, read_citation(text)) for text in given]
    real = {citation.key: citation for _, citation in read if citation is not None}
    return Citations(tuple(real.values()), tuple(text for text, citation in read if citation is None))
