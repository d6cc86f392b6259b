"""What an API key may be used for. ``docs/api.md`` lists the same, and a test holds the two equal."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """A kind of question. A key holds one or more; the audience of its client decides what the answers may show."""

    PREDICTIONS = "predictions"
    TEXT = "text"
    CATALOGUE = "catalogue"
    ATTRIBUTION = "attribution"
    MODEL = "model"
    USAGE = "usage"


SCOPE_MEANINGS = {
    Scope.PREDICTIONS: "Predictions for catalogued practices and targets, their explanations, and batches of questions.",
    Scope.TEXT: "Predictions for a practice, a gene or findings described in your own words.",
    Scope.CATALOGUE: "Lists of practices, targets, correlations, evidence, synergies and dosage profiles.",
    Scope.ATTRIBUTION: "How a community wishes to be credited.",
    Scope.MODEL: "The model card and the metrics of the model in service.",
    Scope.USAGE: "What your own organisation asked for.",
}
ALL_SCOPES = tuple(Scope)
