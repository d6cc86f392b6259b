"""What the correlations app stores."""

from correlations.models.correlation import Correlation, CorrelationEvidence, SynergyPair
from correlations.models.evidence import Condition, Evidence
from correlations.models.import_batch import ImportBatch, QuarantinedRow
from correlations.models.practice import DosageProfile, Practice, PracticeIndication
from correlations.models.target import DiseaseAssociation, GenomicTarget

__all__ = [
    "Condition",
    "Correlation",
    "CorrelationEvidence",
    "DiseaseAssociation",
    "DosageProfile",
    "Evidence",
    "GenomicTarget",
    "ImportBatch",
    "Practice",
    "PracticeIndication",
    "QuarantinedRow",
    "SynergyPair",
]
