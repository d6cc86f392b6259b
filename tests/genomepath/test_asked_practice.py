"""The look-up of an asked practice does the same for withheld and absent ones."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ethics.models import PolicyRevision
from ethics.policy import Audience, SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from genomepath.answers import AnswerFrame
from genomepath.asked_practice import NO_SUCH_ITEM, AskedPractice, asked_practice
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue():
    return make_catalogue()


def frame(catalogue) -> AnswerFrame:
    return AnswerFrame(catalogue.version, PolicyRevision.current(), Audience.RESEARCH, timezone.now())


def test_open_withheld_and_absent_practices_are_told_apart_for_the_log_alone(catalogue):
    open_one, sacred, objected = catalogue.practices
    item_set_status(item=sacred.item, status=SacredStatus.SACRED)
    item_record_objection(item=objected.item, reference="synthetic letter", reason="synthetic reason")
    asked = {
        name: asked_practice(frame(catalogue), name) for name in (open_one.slug, sacred.slug, objected.slug, "none")
    }
    assert asked == {
        open_one.slug: AskedPractice(True, str(open_one.item.public_id)),
        sacred.slug: AskedPractice(False, str(sacred.item.public_id)),
        objected.slug: AskedPractice(False, str(objected.item.public_id)),
        "none": AskedPractice(False, NO_SUCH_ITEM),
    }


def test_withheld_and_absent_practices_cost_the_same_queries(catalogue):
    hidden = catalogue.practices[0]
    item_set_status(item=hidden.item, status=SacredStatus.SACRED)
    shape = frame(catalogue)
    asked_practice(shape, "decoys are chosen now")
    texts = []
    for slug in (hidden.slug, "x" * len(hidden.slug)):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            asked_practice(shape, slug)
        texts.append([query["sql"].replace(slug, "...") for query in captured])
    assert texts[0] == texts[1]
    assert len(texts[0]) == 1


def test_an_empty_catalogue_answers_absent(db):
    assert asked_practice(frame(make_catalogue(practices=0)), "none") == AskedPractice(False, NO_SUCH_ITEM)
