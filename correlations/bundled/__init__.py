"""The data that ships with the project: files under ``data/``, their sources in ``SOURCES.md``, a checked reader."""

from correlations.bundled.reader import BundledDataError, modelled_profiles, read_bundled
from correlations.bundled.rows import (
    DOSES,
    BundledData,
    Citation,
    CommunityRow,
    ConditionLink,
    ConditionRow,
    ConditionTerm,
    DiseaseAssociation,
    DosageProfileRow,
    EvidenceRow,
    LabelRow,
    Pathway,
    PracticeRow,
    SacredPlaceholder,
    SynergyRow,
    TargetRow,
)

__all__ = [
    "DOSES",
    "BundledData",
    "BundledDataError",
    "Citation",
    "CommunityRow",
    "ConditionLink",
    "ConditionRow",
    "ConditionTerm",
    "DiseaseAssociation",
    "DosageProfileRow",
    "EvidenceRow",
    "LabelRow",
    "Pathway",
    "PracticeRow",
    "SacredPlaceholder",
    "SynergyRow",
    "TargetRow",
    "modelled_profiles",
    "read_bundled",
]
