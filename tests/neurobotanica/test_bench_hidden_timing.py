"""`manage.py bench_hidden_timing` measures a real server; its arithmetic is checked on its own."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ethics.models import ApiKey, AuditEvent
from ethics.stewardship import item_record_objection
from neurobotanica.serving_bench.hidden_timing import (
    WARM_UP,
    Auc,
    area_under_curve,
    auc_with_interval,
    likelihood_scores,
)
from tests.factories import make_catalogue

LABELS = np.array([True, True, False, False])


@pytest.mark.parametrize(
    ("scores", "area"), [([3, 4, 1, 2], 1.0), ([1, 2, 3, 4], 0.0), ([1, 1, 1, 1], 0.5), ([1, 3, 2, 4], 0.25)]
)
def test_area_is_the_share_of_pairs_in_order(scores, area):
    assert area_under_curve(np.array(scores, dtype=float), LABELS) == area


def _times(shift: float) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    labels = np.arange(8000) % 2 == 0
    generator.shuffle(labels)
    return generator.normal(10, 1, 8000) + shift * labels, labels


def test_equal_times_tell_nothing_and_shifted_ones_do():
    for shift, tells in ((0.0, False), (0.2, True)):
        times, labels = _times(shift)
        for scores in (times, likelihood_scores(times, labels)):
            auc = auc_with_interval(scores, labels, resamples=100)
            assert auc.low <= auc.value <= auc.high
            assert (auc.low > 0.5) == tells


def test_a_difference_that_the_mean_does_not_show_is_found_by_the_classifier():
    generator = np.random.default_rng(1)
    labels = np.arange(4000) % 4 < 2
    times = np.where(labels, generator.normal(10, 3, 4000), generator.normal(10, 1, 4000))
    assert abs(area_under_curve(times, labels) - 0.5) < 0.05
    assert area_under_curve(likelihood_scores(times, labels), labels) > 0.7


def test_the_whole_interval_must_lie_within_the_bounds():
    assert Auc(0.5, 0.48, 0.52).tells_nothing
    assert not Auc(0.5, 0.47, 0.51).tells_nothing
    assert not Auc(0.5, 0.49, 0.53).tells_nothing


def test_report_names_both_classifiers_and_the_key_is_revoked(
    committed_database, monkeypatch, tmp_path, django_db_blocker
):
    monkeypatch.setenv("DATABASE_URL", committed_database.url)
    with django_db_blocker.unblock():
        catalogue = make_catalogue()
        item_record_objection(item=catalogue.practices[0].item, reference="synthetic letter", reason="synthetic")
        try:
            call_command(
                "bench_hidden_timing", "--json", str(tmp_path / "r.json"), "--requests", "100", stdout=StringIO()
            )
        except CommandError as error:
            # So few requests cannot settle it either way.
            assert "tells hidden from absent" in str(error)
        report = json.loads((tmp_path / "r.json").read_text())
        assert (report["requests"], report["hidden_practices"]) == (100, 1)
        for name in ("auc_of_time", "auc_of_classifier"):
            assert 0 <= report[name]["low"] <= report[name]["value"] <= report[name]["high"] <= 1
        assert ApiKey.objects.get().revoked
        assert AuditEvent.objects.filter(event_type="prediction.refused").count() == 100 + WARM_UP


@pytest.mark.django_db
def test_with_nothing_hidden_the_command_says_so():
    make_catalogue()
    with pytest.raises(CommandError, match="nothing to measure"):
        call_command("bench_hidden_timing")


@pytest.mark.parametrize("arguments", [("--requests", "5"), ("--json", "/no/such/folder/f")])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(CommandError):
        call_command("bench_hidden_timing", *arguments)
