"""The answers asked for first, rendered when a model comes into service. Nobody is served, so nothing is recorded."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from correlations.models import GenomicTarget, Practice
from correlations.vocabulary import Direction
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Audience, Purpose
from genomepath.serving import (
    DEFAULT_PRACTICES,
    DEFAULT_TARGETS,
    PredictionQuestion,
    prediction_warm,
)
from genomepath.version_in_service import NoActiveModel

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 45.0
"""A large catalogue shall not keep a worker from other work: the remaining answers are rendered when they are asked for."""


def answers_warm_on_commit() -> None:
    """Have a worker render the answers once the promotion is committed; without one they wait until they are asked for."""
    transaction.on_commit(_enqueue)


def answers_warm() -> int:
    """Render what the cache lacks of the questions with default dose and number; returns how many answers it holds then."""
    deadline = time.monotonic() + LONGEST_SECONDS
    warmed = 0
    try:
        for audience, question in _questions():
            if time.monotonic() > deadline:
                logger.warning("not all answers were rendered in time; the others are when they are asked for")
                break
            warmed += prediction_warm(question=question, audience=audience)
    except NoActiveModel:
        return warmed
    return warmed


def _questions() -> Iterator[tuple[Audience, PredictionQuestion]]:
    targets = list(GenomicTarget.objects.order_by("id").values_list("symbol", flat=True))
    for audience in CLIENT_AUDIENCES:
        practices = Practice.objects.permitted_for(Purpose.PREDICTION, audience, timezone.now())
        for slug in practices.order_by("id").values_list("slug", flat=True):
            yield audience, PredictionQuestion(Direction.TK_TO_GENOMIC, slug, DEFAULT_TARGETS)
        for symbol in targets:
            yield audience, PredictionQuestion(Direction.GENOMIC_TO_TK, symbol, DEFAULT_PRACTICES)


def _enqueue() -> None:
    from genomepath.housekeeping import warm_answers

    try:
        warm_answers.delay()
    except BrokerError:
        logger.warning("the broker is away; answers are rendered when they are asked for")
