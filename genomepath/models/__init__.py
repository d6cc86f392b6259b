"""What the genomepath app stores."""

from genomepath.models.export_record import ExportRecord
from genomepath.models.model_version import ModelVersion
from genomepath.models.prediction import Prediction
from genomepath.models.training_run import TrainingRun
from genomepath.models.tuning import TuningPoint, TuningStudy

__all__ = ["ExportRecord", "ModelVersion", "Prediction", "TrainingRun", "TuningPoint", "TuningStudy"]
