"""The scores of a version become rows: every practice and dose, every target, ranked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError

from ethics.consent import consent_withdraw
from ethics.models import AuditEvent
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Basis, Purpose
from genomepath.artefacts import model_folder
from genomepath.ml.calibration import ListCalibration, PlattCalibration
from genomepath.ml.confidence_curves import ConfidenceCurves
from genomepath.models import Prediction
from genomepath.publication import predictions_publish
from genomepath.withdrawal import models_mark_withheld
from genomepath.withdrawal_processing import withdrawals_process
from tests.admin_people import make_consent
from tests.factories import make_item, make_practice, make_target
from tests.genomepath.model_folders import complete_folder, make_scored_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def practices():
    return [make_practice() for _ in range(3)]


@pytest.fixture
def targets():
    return [make_target() for _ in range(4)]


def rankings(version):
    """The rows of each ranking: one a practice and dose, one a target."""
    found: dict[tuple, list[Prediction]] = {}
    for row in Prediction.objects.filter(model_version=version).order_by("rank"):
        key = (row.practice_id, row.dose) if row.direction == "tk_to_genomic" else (row.target_id,)
        found.setdefault(key, []).append(row)
    return found


def test_every_practice_dose_and_every_target_is_ranked_over_the_whole_catalogue(practices, targets):
    version = make_scored_version(practices, targets)

    rows = predictions_publish(version=version)

    found = rankings(version)
    assert rows == Prediction.objects.count() == 3 * 3 * 4 + 4 * 3
    doses = [(practice.pk, dose) for practice in practices for dose in ("low", "medium", "high")]
    assert set(found) == {*doses, *((target.pk,) for target in targets)}
    assert {len(ranking) for key, ranking in found.items() if len(key) == 2} == {4}
    assert {len(ranking) for key, ranking in found.items() if len(key) == 1} == {3}


def test_ranks_are_contiguous_and_ordered_by_score(practices, targets):
    version = make_scored_version(practices, targets)
    predictions_publish(version=version)

    for ranking in rankings(version).values():
        assert [row.rank for row in ranking] == list(range(1, len(ranking) + 1))
        assert all(first.score >= second.score for first, second in pairwise(ranking))
        assert all(first.confidence >= second.confidence for first, second in pairwise(ranking))


def test_confidences_are_probabilities(practices, targets):
    predictions_publish(version=make_scored_version(practices, targets))

    assert all(0.0 <= value <= 1.0 for value in Prediction.objects.values_list("confidence", flat=True))


def test_a_confidence_is_read_from_the_curve_of_its_direction_and_dose(practices, targets):
    low, medium, high = (ListCalibration(1.0, 0.5, intercept) for intercept in (-2.0, -1.0, 1.0))
    back = PlattCalibration(1.0, 2.0)
    version = make_scored_version(practices, targets, curves=ConfidenceCurves((low, medium, high), back))
    predictions_publish(version=version)

    curves: dict[str, ListCalibration | PlattCalibration] = {"low": low, "medium": medium, "high": high, "": back}
    for ranking in rankings(version).values():
        expected = curves[ranking[0].dose].probability([row.score for row in ranking])
        assert [row.confidence for row in ranking] == pytest.approx(expected, abs=1e-6)


def test_a_record_that_left_the_catalogue_is_skipped_and_ranks_stay_contiguous(practices, targets):
    version = make_scored_version(practices, targets)
    practices[1].delete()
    targets[0].delete()

    rows = predictions_publish(version=version)

    assert rows == 2 * 3 * 3 + 3 * 2
    for ranking in rankings(version).values():
        assert [row.rank for row in ranking] == list(range(1, len(ranking) + 1))


def test_publishing_again_replaces_the_rows_of_this_version_alone(practices, targets):
    other = make_scored_version(practices, targets, seed=1)
    version = make_scored_version(practices, targets)
    kept = predictions_publish(version=other)

    assert predictions_publish(version=version) == predictions_publish(version=version)

    assert Prediction.objects.filter(model_version=version).count() == 48
    assert Prediction.objects.filter(model_version=other).count() == kept


def test_a_prediction_is_in_the_set_from_the_least_logit_on(practices, targets):
    predictions_publish(version=make_scored_version(practices, targets, least_logit=0.25))

    rows = list(Prediction.objects.all())
    assert {row.in_set for row in rows} == {True, False}
    assert all(row.in_set == (row.score >= 0.25) for row in rows)


def test_a_model_without_sets_leaves_open_what_is_in_them(practices, targets):
    predictions_publish(version=make_scored_version(practices, targets))

    assert set(Prediction.objects.values_list("in_set", flat=True)) == {None}


def test_damaged_sets_are_refused(practices, targets):
    version = make_scored_version(practices, targets, least_logit=0.25)
    path = model_folder(version) / "calibration.json"
    path.write_text(path.read_text(encoding="utf-8").replace("least_logit", "misspelt"), encoding="utf-8")

    with pytest.raises(ValidationError, match="no threshold of a set"):
        predictions_publish(version=version)


def test_publishing_is_recorded_with_the_model(practices, targets):
    version = make_scored_version(practices, targets)
    predictions_publish(version=version)

    event = AuditEvent.objects.get(event_type="predictions.published")
    assert (event.model_sha256, event.details) == (version.sha256, {"rows": 48})


@pytest.mark.parametrize("name", ["scores.safetensors", "catalogue.json", "calibration.json"])
@pytest.mark.parametrize("damage", ["missing", "garbage"])
def test_a_damaged_folder_is_refused_and_the_published_rows_stay(practices, targets, name, damage):
    version = make_scored_version(practices, targets)
    predictions_publish(version=version)
    path = model_folder(version) / name
    path.unlink()
    if damage == "garbage":
        path.write_bytes(b"\xff\x00 no such format")

    with pytest.raises(ValidationError, match="cannot be read"):
        predictions_publish(version=version)

    assert Prediction.objects.filter(model_version=version).count() == 48


@pytest.fixture
def withdrawn(practices):
    """Documented, with a consent for predictions alone that was withdrawn: training on it stays allowed."""
    consent = make_consent(practices[0].item, purposes=[Purpose.PREDICTION.value], audiences=[*CLIENT_AUDIENCES])
    consent_withdraw(consent=consent, reason="no predictions any more")
    withdrawals_process()
    return practices[0]


def test_what_a_withdrawal_deleted_is_not_stored_again_by_any_version(practices, targets, withdrawn):
    version = make_scored_version(practices, targets, trained_on=[practice.item.public_id for practice in practices])
    models_mark_withheld()
    version.refresh_from_db()
    assert version.marked_at is None

    predictions_publish(version=version)

    predicted = set(Prediction.objects.values_list("practice__slug", flat=True))
    assert predicted == {practice.slug for practice in practices} - {withdrawn.slug}


def test_what_no_client_may_be_shown_yet_is_stored_where_no_withdrawal_concerned_it(practices, targets):
    waiting = make_practice(item=make_item(basis=Basis.CONSENT, basis_source=""))

    predictions_publish(version=make_scored_version([*practices, waiting], targets))

    assert Prediction.objects.filter(practice=waiting).exists()


def test_a_folder_that_holds_another_model_is_not_published(practices, targets):
    version = make_scored_version(practices, targets)
    complete_folder(model_folder(version), seed=7)

    with pytest.raises(ValidationError, match="holds another model"):
        predictions_publish(version=version)

    assert not Prediction.objects.exists()
