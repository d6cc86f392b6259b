"""Going back: to a version that was in service before, whatever it scores, and never to one that may not serve."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from ethics.models import AuditEvent
from ethics.policy import SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from genomepath import registry
from genomepath.artefacts import model_folder
from genomepath.models import ModelVersion, Prediction
from genomepath.registry import model_promote, model_roll_back
from tests.factories import make_practice
from tests.genomepath.gate_evaluations import events, loses_to_a_baseline, ranks_every_pair

pytestmark = pytest.mark.django_db
CANARY = "canary-77b0-in-an-older-model-file"


def promote(version: ModelVersion) -> ModelVersion:
    return model_promote(version=version, promoted_by="engineer")


@pytest.fixture
def older(copy_version) -> ModelVersion:
    """In service until a version that scores higher took over."""
    version: ModelVersion = promote(copy_version(1, ranks_every_pair(0.1)))
    promote(copy_version(2, ranks_every_pair(0.9)))
    version.refresh_from_db()
    return version


def test_an_older_version_that_scores_lower_comes_back_in_one_step(older):
    with pytest.raises(ValidationError, match="not worse than the active model"):
        promote(older)

    returned = model_roll_back(version=older, rolled_back_by="operator")

    assert (returned, returned.state, returned.promoted_by) == (older, "active", "operator")
    assert ModelVersion.objects.exclude(pk=older.pk).filter(promoted_at__isnull=False).get().state == "retired"


def test_a_rollback_is_an_event_of_its_own_that_names_what_it_replaced(older):
    replaced = ModelVersion.objects.get(state="active")

    model_roll_back(version=older, rolled_back_by="operator")

    event = AuditEvent.objects.get(event_type="model.rolled_back")
    assert (event.model_sha256, event.details) == (older.sha256, {"provisional": False, "replaced": replaced.sha256})
    assert events(replaced)[-1] == "model.retired"


def test_the_predictions_are_published_anew(older):
    Prediction.objects.filter(model_version=older).delete()

    model_roll_back(version=older, rolled_back_by="operator")

    assert Prediction.objects.filter(model_version=older).exists()
    assert events(older)[-2:] == ["predictions.published", "model.rolled_back"]


def test_a_provisional_version_comes_back_as_provisional(copy_version):
    first = promote(copy_version(1, loses_to_a_baseline))
    promote(copy_version(2, ranks_every_pair(0.9)))

    assert model_roll_back(version=first, rolled_back_by="operator").provisional


def test_without_a_name_it_is_the_version_last_in_service_before_the_active_one(copy_version):
    versions = [promote(copy_version(number, ranks_every_pair(0.5))) for number in (1, 2, 3)]

    assert model_roll_back(rolled_back_by="operator") == versions[1]


def test_a_second_rollback_undoes_the_first(copy_version):
    versions = [promote(copy_version(number, ranks_every_pair(0.5))) for number in (1, 2, 3)]

    model_roll_back(rolled_back_by="operator")

    assert model_roll_back(rolled_back_by="operator") == versions[2]


def test_without_a_name_a_marked_version_is_passed_over(copy_version):
    versions = [promote(copy_version(number, ranks_every_pair(0.5))) for number in (1, 2, 3)]
    ModelVersion.objects.filter(pk=versions[1].pk).update(marked_at=timezone.now())

    assert model_roll_back(rolled_back_by="operator") == versions[0]


def test_with_nothing_to_go_back_to_it_is_refused(evaluated):
    promote(evaluated.version)

    with pytest.raises(ValidationError, match="no model version to go back to"):
        model_roll_back(rolled_back_by="operator")


def test_a_candidate_is_refused(older, copy_version):
    with pytest.raises(ValidationError, match="was not in service before: promote it"):
        model_roll_back(version=copy_version(3), rolled_back_by="operator")


def test_a_retired_version_that_was_never_promoted_is_refused(older, copy_version):
    with pytest.raises(ValidationError, match="was not in service before"):
        model_roll_back(version=copy_version(3, state="retired"), rolled_back_by="operator")


def test_the_version_in_service_is_refused(older):
    with pytest.raises(ValidationError, match="is in service already"):
        model_roll_back(version=ModelVersion.objects.get(state="active"), rolled_back_by="operator")


def test_a_version_that_learned_from_what_is_withheld_since_is_refused(older, evaluated):
    item_record_objection(
        item=evaluated.catalogue.practices[0].item, reference="letter", reason="the community objects"
    )

    with pytest.raises(ValidationError, match="has since been withheld"):
        model_roll_back(version=older, rolled_back_by="operator")


def test_a_quarantined_version_is_refused(older):
    ModelVersion.objects.filter(pk=older.pk).update(state="quarantined")

    with pytest.raises(ValidationError, match="quarantined"):
        model_roll_back(version=older, rolled_back_by="operator")


def test_a_version_whose_files_were_changed_is_refused(older):
    (model_folder(older) / "model.safetensors").write_bytes(b"other weights")

    with pytest.raises(ValidationError, match=r"model\.safetensors differ from the manifest"):
        model_roll_back(version=older, rolled_back_by="operator")


def test_a_withheld_text_in_its_files_is_refused(older):
    item_set_status(item=make_practice(title=CANARY, cultural_context=CANARY).item, status=SacredStatus.SACRED)
    (model_folder(older) / "notes.txt").write_text(CANARY)

    with pytest.raises(ValidationError, match="ethics scan found a leak"):
        model_roll_back(version=older, rolled_back_by="operator")


def test_a_prediction_without_its_attribution_is_refused(older, monkeypatch):
    monkeypatch.setattr(registry, "attribution_complete", lambda: False)

    with pytest.raises(ValidationError, match="lacks its attribution"):
        model_roll_back(version=older, rolled_back_by="operator")


def test_a_version_that_went_into_service_meanwhile_is_not_replaced_unseen(older, copy_version, monkeypatch):
    other = copy_version(3, ranks_every_pair(0.9))
    monkeypatch.setattr(registry, "attribution_complete", lambda: _after(monkeypatch, lambda: promote(other)))

    with pytest.raises(ValidationError, match="went into service meanwhile"):
        model_roll_back(version=older, rolled_back_by="operator")

    assert ModelVersion.objects.get(state="active") == other


def test_a_refused_rollback_leaves_the_version_in_service(older):
    active = ModelVersion.objects.get(state="active")
    (model_folder(older) / "scores.safetensors").unlink()

    with pytest.raises(ValidationError):
        model_roll_back(version=older, rolled_back_by="operator")

    assert ModelVersion.objects.get(state="active") == active
    assert "model.retired" not in events(active)


def _after(monkeypatch: pytest.MonkeyPatch, act) -> bool:
    monkeypatch.setattr(registry, "attribution_complete", lambda: True)
    act()
    return True
