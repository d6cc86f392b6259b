"""The closed vocabularies of the catalogue."""

from __future__ import annotations

from enum import StrEnum


class Dose(StrEnum):
    """The three dose levels."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Direction(StrEnum):
    """From which side a correlation was found."""

    TK_TO_GENOMIC = "tk_to_genomic"
    GENOMIC_TO_TK = "genomic_to_tk"


class ReviewStatus(StrEnum):
    """Training takes approved correlations; drafts only when asked."""

    DRAFT = "draft"
    REVIEW = "review"
    APPROVED = "approved"
    REJECTED = "rejected"


class Quality(StrEnum):
    """Bands of confidence; the thresholds stand in ``correlations.scoring``."""

    POOR = "poor"
    MODERATE = "moderate"
    GOOD = "good"


class DoseBasis(StrEnum):
    """``MODELLED`` where no source resolves the dose: it adds no evidence."""

    SOURCED = "sourced"
    MODELLED = "modelled"


class Origin(StrEnum):
    """How a row came into the catalogue."""

    BUNDLED = "bundled"
    PHASE3 = "phase3"
    MANUAL = "manual"


class EvidenceLevel(StrEnum):
    """Kinds of evidence, from the strongest to the weakest."""

    META_ANALYSIS = "meta_analysis"
    SYSTEMATIC_REVIEW = "systematic_review"
    CLINICAL_TRIAL = "clinical_trial"
    HUMAN_OBSERVATIONAL = "human_observational"
    GENETIC_ASSOCIATION = "genetic_association"
    REVIEW = "review"
    PRECLINICAL = "preclinical"
    REFERENCE_TEXT = "reference_text"
    ETHNOGRAPHIC = "ethnographic"
    HISTORICAL = "historical"
    UNGRADED = "ungraded"
