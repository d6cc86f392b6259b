"""Predictions that a withdrawal deleted come back when their items may be shown again and the model knows them."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import Exists, OuterRef

from correlations.models import Practice
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Purpose
from genomepath.answer_cache import answers_purge
from genomepath.artefacts import model_folder, read_json
from genomepath.models import ModelVersion, Prediction
from genomepath.models.model_version import VersionState
from genomepath.publication import predictions_publish, withdrawn_items
from genomepath.redis_bytes import RedisUnavailable

logger = logging.getLogger(__name__)


@transaction.atomic
def predictions_restore() -> int:
    """Publish the model in service again where items of a withdrawal may be shown again but have no prediction of it.

    Returns the number of rows published, 0 where nothing was missing. Answers stored meanwhile are deleted.
    """
    active = ModelVersion.objects.select_for_update().filter(state=VersionState.ACTIVE.value).first()
    if active is None:
        return 0
    missing = _shown_without_prediction(active)
    if not missing or not missing & set(
        (read_json(model_folder(active) / "catalogue.json") or {}).get("practices", ())
    ):
        return 0
    rows = predictions_publish(version=active)
    transaction.on_commit(_purge_answers)
    return rows


def _shown_without_prediction(active: ModelVersion) -> set[str]:
    """Slugs of practices that a withdrawal once concerned, that some client may be shown, and that nothing is said about."""
    predicted = Prediction.objects.filter(model_version=active, practice=OuterRef("pk"))
    slugs: set[str] = set()
    for audience in CLIENT_AUDIENCES:
        shown = Practice.objects.permitted_for(Purpose.PREDICTION, audience)
        slugs |= set(
            shown.filter(~Exists(predicted), item__public_id__in=withdrawn_items()).values_list("slug", flat=True)
        )
    return slugs


def _purge_answers() -> None:
    try:
        answers_purge()
    except RedisUnavailable:  # they are forgotten at the end of their time, or with the next policy revision
        logger.warning("answers stored before predictions came back could not be deleted")
