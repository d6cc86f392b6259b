"""Publishing: the scores of a model version become rows that the API reads."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from numpy.typing import NDArray

from correlations.models import GenomicTarget, Practice
from correlations.vocabulary import Direction
from ethics import audit
from ethics.models import WithdrawalCase
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Purpose
from genomepath.artefacts import model_folder, verify_model_files
from genomepath.ml.published_scores import PublishedScores, PublishedScoresError, read_published_scores
from genomepath.ml.snapshot import DOSES
from genomepath.models import ModelVersion, Prediction


@transaction.atomic
def predictions_publish(*, version: ModelVersion) -> int:
    """Store the ranking of every practice and dose, and of every target; returns the number of rows.

    Records that left the catalogue since the training are left out. What the policy withholds is filtered on every read;
    what a withdrawal has deleted is not even stored again, because its receipt says that it is gone.

    Raises:
        ValidationError: the model folder lacks its scores, or holds another model.
    """
    # A withdrawal looks for models to mark under these locks before it deletes: it can't miss rows that are written here.
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    try:
        scores = read_published_scores(model_folder(version))
    except PublishedScoresError as error:
        raise ValidationError(f"The scores of this model version cannot be read: {error}") from error
    verify_model_files(version)
    practices = _publishable(version, Practice.objects.in_bulk(list(scores.practices), field_name="slug"))
    targets = GenomicTarget.objects.in_bulk(list(scores.targets), field_name="symbol")
    Prediction.objects.filter(model_version=version).delete()
    rows = [
        *_tk_to_genomic(version, scores, practices, targets),
        *_genomic_to_tk(version, scores, practices, targets),
    ]
    Prediction.objects.bulk_create(rows, batch_size=2000)
    audit.record(
        "predictions.published",
        subjects=[version.sha256],
        model_sha256=version.sha256,
        details={"rows": len(rows)},
    )
    return len(rows)


def _publishable(version: ModelVersion, practices: dict[str, Practice]) -> dict[str, Practice]:
    """Without what no client may be shown and a withdrawal once concerned; of a marked version without all such practices.

    A practice whose consent has not begun is stored: nothing would publish it when it may be shown.
    ``prediction_restoring`` looks after those of a withdrawal.
    """
    shown: set[int] = set()
    for audience in CLIENT_AUDIENCES:
        permitted = Practice.objects.permitted_for(Purpose.PREDICTION, audience)
        shown |= set(permitted.values_list("pk", flat=True))
    deleted = (
        practices.values() if version.marked_at else Practice.objects.filter(item__public_id__in=withdrawn_items())
    )
    hidden = {practice.pk for practice in deleted} - shown
    return {slug: practice for slug, practice in practices.items() if practice.pk not in hidden}


def withdrawn_items() -> set[UUID]:
    """The governed items that a withdrawal ever concerned, whatever was decided about them since."""
    return {item for items in WithdrawalCase.objects.values_list("item_public_ids", flat=True) for item in items}


def _tk_to_genomic(
    version: ModelVersion,
    scores: PublishedScores,
    practices: dict[str, Practice],
    targets: dict[str, GenomicTarget],
) -> Iterator[Prediction]:
    inside = scores.in_set("tk_to_genomic")
    for p, slug in enumerate(scores.practices):
        for d, dose in enumerate(DOSES):
            logits, confidence = scores.scores.tk_to_genomic[p, d], scores.tk_to_genomic_confidence[p, d]
            in_set = None if inside is None else inside[p, d]
            known = [g for g in _order(logits) if slug in practices and scores.targets[g] in targets]
            for rank, g in enumerate(known, start=1):
                yield Prediction(
                    model_version=version,
                    direction=Direction.TK_TO_GENOMIC.value,
                    practice=practices[slug],
                    target=targets[scores.targets[g]],
                    dose=dose,
                    rank=rank,
                    score=float(logits[g]),
                    confidence=float(confidence[g]),
                    in_set=None if in_set is None else bool(in_set[g]),
                )


def _genomic_to_tk(
    version: ModelVersion,
    scores: PublishedScores,
    practices: dict[str, Practice],
    targets: dict[str, GenomicTarget],
) -> Iterator[Prediction]:
    inside = scores.in_set("genomic_to_tk")
    for g, symbol in enumerate(scores.targets):
        logits, confidence = scores.scores.genomic_to_tk[g], scores.genomic_to_tk_confidence[g]
        known = [p for p in _order(logits) if symbol in targets and scores.practices[p] in practices]
        for rank, p in enumerate(known, start=1):
            yield Prediction(
                model_version=version,
                direction=Direction.GENOMIC_TO_TK.value,
                practice=practices[scores.practices[p]],
                target=targets[symbol],
                rank=rank,
                score=float(logits[p]),
                confidence=float(confidence[p]),
                in_set=None if inside is None else bool(inside[g, p]),
            )


def _order(logits: NDArray[np.float32]) -> list[int]:
    """Indices from the highest score down; equal scores keep the order of the catalogue."""
    return [int(index) for index in np.argsort(-logits, kind="stable")]
