"""A refused row's content stands in no log line and in no cause of a failed run."""

from __future__ import annotations

import logging
import sys

import pytest
from django.db import IntegrityError, transaction

from correlations.models import Practice
from ethics.redaction import RedactingFormatter, without_row_content
from tests.factories import make_practice

CANARY = "canary-8f3a in a refused row"


@pytest.mark.django_db
def test_a_database_refusal_is_logged_without_the_row() -> None:
    practice = make_practice(cultural_context=CANARY)
    try:
        with transaction.atomic():
            Practice.objects.filter(pk=practice.pk).update(title="")
    except IntegrityError:
        record = logging.LogRecord("site", logging.ERROR, __file__, 1, "save failed", (), sys.exc_info())
    assert CANARY in logging.Formatter().format(record)
    logged = RedactingFormatter().format(record)
    assert CANARY not in logged
    assert "practice_has_title" in logged, "the broken rule is still named"


@pytest.mark.parametrize(
    "detail",
    [
        f"DETAIL:  Failing row contains (1, {CANARY}).",
        f"DETAIL:  Failing row contains (1, first line\nsecond line {CANARY}).",
        f"DETAIL:  Key (title)=({CANARY}) already exists.",
        f"CONTEXT:  PL/pgSQL function near {CANARY}",
    ],
)
def test_every_quoting_part_is_taken_out_and_what_follows_stays(detail: str) -> None:
    text = f"psycopg.errors.CheckViolation: refused\n{detail}\n\nThe above exception was the direct cause\nValueError: after"
    redacted = without_row_content(text)
    assert CANARY not in redacted
    assert "refused" in redacted
    assert "ValueError: after" in redacted


def test_other_texts_stay_as_they_are() -> None:
    assert without_row_content("Epoch 3: train loss 0.1\ndetails follow") == "Epoch 3: train loss 0.1\ndetails follow"
