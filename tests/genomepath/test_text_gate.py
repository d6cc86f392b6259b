"""The gate of free text reads what it compares with once, and anew as soon as it may have changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from ethics.models import PolicyRevision
from ethics.policy import Audience, Basis, SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from genomepath.text_admission import TextGate
from genomepath.text_door import TextVerdict
from genomepath.validity import CATALOGUE_SECONDS
from tests.admin_people import make_consent
from tests.factories import make_item, make_practice
from tests.genomepath.ml.synthetic import HashEncoder

pytestmark = pytest.mark.django_db
TITLE = "A synthetic title of its own"


class CountingEncoder(HashEncoder):
    """Keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked.append(list(texts))
        return super().encode(texts)


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


def judge(gate: TextGate, text: str, now: datetime | None = None) -> TextVerdict:
    return gate.judge(
        text=text, audience=Audience.RESEARCH, policy_revision=PolicyRevision.current(), now=now or timezone.now()
    )


def test_records_are_encoded_once_and_texts_alone_from_then_on(encoder):
    make_practice(title=TITLE)
    gate = TextGate(encoder)
    assert judge(gate, TITLE).is_answered

    judge(gate, "another text")

    assert encoder.asked[-1] == ["another text"]
    assert sum(TITLE in asked for asked in encoder.asked[:1]) == 1


def test_a_change_of_governance_holds_for_the_next_text(encoder):
    practice = make_practice(title=TITLE)
    gate = TextGate(encoder)
    judge(gate, TITLE)
    item_record_objection(item=practice.item, reference="letter", reason="they object")

    verdict = judge(gate, TITLE)

    assert verdict.named == verdict.near == {str(practice.item.public_id)}


def test_a_consent_that_ends_by_the_clock_holds_for_the_next_text(encoder):
    item = make_item(basis=Basis.CONSENT, basis_source="")
    make_practice(item=item, title=TITLE)
    now = timezone.now()
    make_consent(item, valid_until=now + timedelta(hours=1))
    gate = TextGate(encoder)
    assert judge(gate, TITLE, now).is_answered

    assert judge(gate, TITLE, now + timedelta(hours=2)).near == {str(item.public_id)}


def test_an_edit_of_the_catalogue_holds_as_soon_as_for_cached_answers(encoder):
    practice = make_practice(title=TITLE)
    gate = TextGate(encoder)
    judge(gate, TITLE)
    type(practice).objects.filter(pk=practice.pk).update(title="Quite another title")

    judge(gate, "a text", now=timezone.now() + timedelta(seconds=CATALOGUE_SECONDS))

    assert any("Quite another title" in asked for asked in encoder.asked[-2:])


def test_each_audience_is_judged_by_its_own_policy(encoder):
    item = make_item(basis=Basis.CONSENT, basis_source="")
    make_practice(item=item, title=TITLE)
    make_consent(item, audiences=[Audience.RESEARCH])
    gate = TextGate(encoder)
    assert judge(gate, TITLE).is_answered

    commercial = gate.judge(
        text=TITLE, audience=Audience.COMMERCIAL, policy_revision=PolicyRevision.current(), now=timezone.now()
    )

    assert commercial.near == {str(item.public_id)}


def test_what_is_read_anew_is_encoded_where_it_was_edited_alone(encoder):
    practice, _ = make_practice(title=TITLE), make_practice(title="A title that stays")
    gate = TextGate(encoder)
    judge(gate, TITLE)
    type(practice).objects.filter(pk=practice.pk).update(title="Quite another title")
    encoder.asked.clear()

    judge(gate, "a text", now=timezone.now() + timedelta(seconds=CATALOGUE_SECONDS))

    encoded, asked = encoder.asked
    assert any("Quite another title" in view for view in encoded)
    assert not any("A title that stays" in view for view in encoded)
    assert asked == ["a text"]


def test_another_audience_finds_encoded_what_both_are_compared_with(encoder):
    make_practice(title=TITLE)
    gate = TextGate(encoder)
    judge(gate, TITLE)
    encoder.asked.clear()

    commercial = gate.judge(
        text=TITLE, audience=Audience.COMMERCIAL, policy_revision=PolicyRevision.current(), now=timezone.now()
    )

    assert commercial.is_answered
    assert encoder.asked == [[TITLE]]


def test_nothing_is_remembered_of_a_record_that_became_sacred(encoder):
    practice = make_practice(title=TITLE)
    gate = TextGate(encoder)
    judge(gate, TITLE)
    item_set_status(item=practice.item, status=SacredStatus.SACRED)
    judge(gate, "a text")
    make_practice(title=TITLE)
    encoder.asked.clear()

    judge(gate, "a text")

    assert any(TITLE in view for view in encoder.asked[0])
