"""The admin of the model: runs, versions, predictions."""

from genomepath.admin import export_record, prediction, run, version

__all__ = ["export_record", "prediction", "run", "version"]
