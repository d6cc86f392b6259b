"""The 90% set of an answer: which predictions are in it, and how many there are, the shown ones and those after them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, Window

from genomepath.ml.conformal import SET_LEVEL
from genomepath.models import Prediction
from genomepath.models.prediction import PredictionQuerySet


def with_set_size(predictions: PredictionQuerySet) -> PredictionQuerySet:
    """Each row with ``set_size``, the number of rows of the whole list that are in the set.

    Only rows that the policy allows are counted, so that no number tells of what is withheld.
    """
    return predictions.annotate(set_size=Window(Count("pk", filter=Q(in_set=True))))


def set_content(rows: Sequence[Prediction]) -> dict[str, Any] | None:
    """Level and size as answers show them; None for a model without sets, or without any row."""
    if not rows or rows[0].in_set is None:
        return None
    return {"level": SET_LEVEL, "size": rows[0].set_size}  # type: ignore[attr-defined]  # annotated
