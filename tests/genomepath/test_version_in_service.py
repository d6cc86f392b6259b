"""Which model version a request rests on, though its row is remembered in the process."""

from __future__ import annotations

import pytest

from genomepath.models import ModelVersion
from genomepath.version_in_service import NoActiveModel, serving_state
from tests.factories import make_model_version

pytestmark = pytest.mark.django_db

CHANGES = {
    "preset": "spec",
    "provisional": True,
    "data_sha256": "1" * 64,
    "folder": "models/another",
    "snapshot_folder": "snapshots/another",
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_row_is_seen_by_the_next_request(name: str) -> None:
    version = make_model_version()
    before, _ = serving_state()
    assert getattr(before, name) == getattr(version, name)
    ModelVersion.objects.filter(pk=version.pk).update(**{name: CHANGES[name]})
    after, _ = serving_state()
    assert getattr(after, name) == CHANGES[name]


def test_another_version_is_in_service_from_the_next_request_on() -> None:
    first = make_model_version()
    assert serving_state()[0].pk == first.pk
    ModelVersion.objects.filter(pk=first.pk).update(state="retired")
    with pytest.raises(NoActiveModel):
        serving_state()
    second = make_model_version()
    assert serving_state()[0].pk == second.pk
