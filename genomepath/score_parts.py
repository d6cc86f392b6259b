"""What each field of a practice or a target adds to a published score: numbers of the model folder, read once a version."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from correlations.models import Practice
from correlations.vocabulary import Direction
from genomepath.artefacts import model_folder
from genomepath.ml.fields import readable
from genomepath.ml.published_field_shares import (
    INDICATION,
    FieldSharesError,
    PublishedFieldShares,
    ScoreParts,
    read_field_shares,
)
from genomepath.models import ModelVersion, Prediction

_logger = logging.getLogger(__name__)

NOTE = (
    "In log odds before calibration. text_match is exact: what the texts of the field add. towers is by occlusion: what the "
    "transformer's part loses without the field; these do not add up to towers_together. share is the part of all parts' "
    "absolute log odds. It says how the model came to its score, and is no evidence."
)


def score_content(version: ModelVersion, prediction: Prediction) -> dict[str, Any] | None:
    """The score of a prediction by its parts; None for a version without them, or that does not know the pair.

    An indication that the practice no longer has is not named.
    """
    found = _published(str(model_folder(version)), version.sha256)
    if found is None:
        return None
    slug, symbol = prediction.practice.slug, prediction.target.symbol
    try:
        if prediction.direction == Direction.TK_TO_GENOMIC:
            return _content(found.of_practice(slug, prediction.dose, symbol), _indications(prediction.practice))
        return _content(found.of_target(symbol, slug), None)
    except KeyError:
        return None


def _content(parts: ScoreParts, indications: frozenset[str] | None) -> dict[str, Any]:
    whole = sum(abs(part.text_match + part.towers) for part in parts.fields)
    whole += abs(parts.whole_text) + abs(parts.known_links)

    def share(value: float) -> float:
        return round(abs(value) / whole, 4) if whole else 0.0

    return {
        "log_odds": round(parts.logit, 4),
        "by_field": [
            {
                "field": part.kind,
                "name": _shown(part.kind, part.text, indications),
                "text_match": round(part.text_match, 4),
                "towers": round(part.towers, 4),
                "share": share(part.text_match + part.towers),
            }
            for part in parts.fields
        ],
        "whole_text": {"log_odds": round(parts.whole_text, 4), "share": share(parts.whole_text)},
        "known_links": {"log_odds": round(parts.known_links, 4), "share": share(parts.known_links)},
        "towers_together": round(parts.towers, 4),
        "base": round(parts.base, 4),
        "note": NOTE,
    }


def _shown(kind: str, text: str, indications: frozenset[str] | None) -> str:
    hidden = kind == INDICATION and indications is not None and text.lower() not in indications
    return "" if hidden else text


def _indications(practice: Practice) -> frozenset[str]:
    return frozenset(readable(entry.condition.name).lower() for entry in practice.practice_indications.all())


@lru_cache(maxsize=2)
def _published(folder: str, sha256: str) -> PublishedFieldShares | None:
    try:
        return read_field_shares(Path(folder))
    except FieldSharesError as error:
        _logger.error("The field shares of model %s cannot be read: %s", sha256[:12], error)
        return None
