"""The admin of the model: runs, versions, predictions."""

from genomepath.admin import export_record, prediction, run, tuning, version

__all__ = ["export_record", "prediction", "run", "tuning", "version"]
