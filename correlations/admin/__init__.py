"""The admin of the catalogue: practices, targets, correlations, evidence, imports."""

from correlations.admin import correlation, evidence, practice, quarantine, target

__all__ = ["correlation", "evidence", "practice", "quarantine", "target"]
