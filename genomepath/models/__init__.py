"""What the genomepath app stores."""

from genomepath.models.model_version import ModelVersion
from genomepath.models.prediction import Prediction
from genomepath.models.training_run import TrainingRun

__all__ = ["ModelVersion", "Prediction", "TrainingRun"]
