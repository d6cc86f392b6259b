"""The admin of the model: runs, versions, predictions."""

from genomepath.admin import prediction, run, version

__all__ = ["prediction", "run", "version"]
