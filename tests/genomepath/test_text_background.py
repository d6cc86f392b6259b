"""What stands behind the answers to texts is read once, and anew as soon as it may have changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from correlations.models import GenomicTarget
from ethics.models import Community, PolicyRevision
from ethics.policy import Audience, Basis
from ethics.stewardship import item_record_objection
from genomepath.models import ModelVersion
from genomepath.models.model_version import VersionState
from genomepath.text_background import TextBackground, TextBackgrounds
from genomepath.validity import CATALOGUE_SECONDS
from tests.admin_people import make_consent
from tests.factories import make_item, make_model_version, make_practice, make_synergy, make_target

pytestmark = pytest.mark.django_db


@pytest.fixture
def backgrounds() -> TextBackgrounds:
    return TextBackgrounds()


def read(
    backgrounds: TextBackgrounds, version, audience: Audience = Audience.RESEARCH, now: datetime | None = None
) -> TextBackground:
    return backgrounds.of(
        version, audience=audience, policy_revision=PolicyRevision.current(), now=now or timezone.now()
    )


def test_it_holds_whose_knowledge_the_model_learned_from_and_what_is_known_of_the_targets(backgrounds):
    item, other = make_practice().item, make_practice().item
    first, second, third = make_target(), make_target(), make_target()
    pair = make_synergy(first, second)
    found = read(backgrounds, make_model_version(trained_on=[item.public_id]))

    assert found.learned_from == [(str(item.public_id), item.community.slug)]
    assert found.communities == [item.community.slug] != [other.community.slug]
    assert [credit["statement"] for credit in found.credits] == [item.community.statement]
    assert found.targets[third.symbol]["name"] == third.name
    both = {pair.target_a.symbol, pair.target_b.symbol}
    assert [set(entry["targets"]) for entry in found.synergies_among([first.symbol, second.symbol])] == [both]
    assert found.synergies_among([first.symbol, third.symbol]) == []


def test_a_second_text_reads_nothing(backgrounds, django_assert_num_queries):
    version = make_model_version(trained_on=[make_practice().item.public_id])
    revision, now = PolicyRevision.current(), timezone.now()
    first = backgrounds.of(version, audience=Audience.RESEARCH, policy_revision=revision, now=now)

    with django_assert_num_queries(0):
        assert backgrounds.of(version, audience=Audience.RESEARCH, policy_revision=revision, now=now) is first


def test_an_objection_holds_for_the_next_text(backgrounds):
    item = make_practice().item
    version = make_model_version(trained_on=[item.public_id])
    assert read(backgrounds, version).learned_from

    item_record_objection(item=item, reference="synthetic letter", reason="synthetic reason")

    assert not read(backgrounds, version).learned_from


def test_a_consent_that_ends_is_no_basis_from_that_moment_on(backgrounds):
    now = timezone.now()
    item = make_item(basis=Basis.CONSENT, basis_source="")
    make_practice(item=item)
    make_consent(item, valid_until=now + timedelta(seconds=5))
    version = make_model_version(trained_on=[item.public_id])

    assert read(backgrounds, version, now=now).learned_from
    assert not read(backgrounds, version, now=now + timedelta(seconds=5)).learned_from


def test_each_audience_has_its_own(backgrounds):
    item = make_item(basis=Basis.CONSENT, basis_source="")
    make_practice(item=item)
    make_consent(item, audiences=[Audience.RESEARCH])
    version = make_model_version(trained_on=[item.public_id])

    assert read(backgrounds, version).learned_from
    assert not read(backgrounds, version, Audience.COMMERCIAL).learned_from


def test_another_version_in_service_has_its_own(backgrounds):
    first, second = make_practice().item, make_practice().item
    read(backgrounds, make_model_version(trained_on=[first.public_id]))
    ModelVersion.objects.update(state=VersionState.RETIRED.value)
    found = read(backgrounds, make_model_version(trained_on=[second.public_id], sha256="1" * 64))

    assert found.communities == [second.community.slug]


def test_an_edit_of_the_catalogue_shows_after_a_minute(backgrounds):
    item, target = make_practice().item, make_target()
    version = make_model_version(trained_on=[item.public_id])
    read(backgrounds, version)
    GenomicTarget.objects.filter(pk=target.pk).update(name="another synthetic name")
    Community.objects.filter(pk=item.community.pk).update(statement="another synthetic statement")

    found = read(backgrounds, version, now=timezone.now() + timedelta(seconds=CATALOGUE_SECONDS))

    assert found.targets[target.symbol]["name"] == "another synthetic name"
    assert found.credits[0]["statement"] == "another synthetic statement"
