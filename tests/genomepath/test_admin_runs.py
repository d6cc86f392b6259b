"""ML engineers ask for runs, follow them and promote versions in the admin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ethics.admin.visibility import COMPLIANCE_OFFICER, CURATOR, ML_ENGINEER
from ethics.models import AuditEvent
from genomepath.models import ModelVersion, TrainingRun
from tests.admin_people import make_person
from tests.factories import make_model_version, make_practice, make_target
from tests.genomepath.model_folders import make_scored_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(client: Client) -> Client:
    client.force_login(make_person(ML_ENGINEER, "engineer"))
    return client


def make_run(**fields: object) -> TrainingRun:
    return TrainingRun.objects.create(
        **{"requested_by": "engineer", "preset": "small", "state": "running", "heartbeat_at": timezone.now(), **fields}
    )


def test_train_queues_a_run_in_the_engineers_name(engineer: Client) -> None:
    page = reverse("admin:genomepath_trainingrun_train")
    form = {"preset": "small", "seed": "7", "epochs": "3", "include_drafts": "on", "then_evaluate": "on"}
    response = engineer.post(page, form)
    run = TrainingRun.objects.get()
    assert response.headers["Location"] == reverse("admin:genomepath_trainingrun_change", args=[run.pk])
    assert (run.preset, run.seed, run.include_drafts, run.state) == ("small", 7, True, "queued")
    assert run.parameters == {"hyperparameters": {"epochs": 3}, "then_evaluate": True}
    assert (run.requested_by, run.requested_role) == ("engineer", ML_ENGINEER)
    assert [event.actor_name for event in AuditEvent.objects.filter(event_type="training.requested")] == ["engineer"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"preset": "huge"}, "preset"), ({"seed": "-1"}, "seed"), ({"seed": "x"}, "seed"), ({"epochs": "0"}, "epochs"),
     ({"seed": "99999999999"}, "seed")],
)  # fmt: skip
def test_bad_input_is_answered_beside_the_field(engineer: Client, changed: dict, field: str) -> None:
    response = engineer.post(
        reverse("admin:genomepath_trainingrun_train"), {"preset": "small", "seed": "0", "epochs": "", **changed}
    )
    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("role", [CURATOR, COMPLIANCE_OFFICER])
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_ml_engineers_train_promote_and_cancel(role: str, method: str, client: Client) -> None:
    client.force_login(make_person(role))
    version, run = make_model_version(state="candidate"), make_run()
    for page in (
        reverse("admin:genomepath_trainingrun_train"),
        reverse("admin:genomepath_trainingrun_cancel", args=[run.pk]),
        *(
            reverse(f"admin:genomepath_modelversion_{button}", args=[version.pk])
            for button in ("promote", "roll_back", "evaluate", "publish")
        ),
    ):
        assert getattr(client, method)(page).status_code == 403, page
    assert TrainingRun.objects.get().state == "running"


def test_the_page_of_a_run_shows_how_far_it_is_also_without_javascript(engineer: Client) -> None:
    run = make_run(progress_done=3, progress_total=10, message="Epoch 3: <b>loss</b>", log="line one\n")
    page = engineer.get(reverse("admin:genomepath_trainingrun_change", args=[run.pk])).content.decode()
    for part in (
        "3 of 10",
        "Epoch 3: &lt;b&gt;loss&lt;/b&gt;",
        "line one",
        'aria-live="polite"',
        "genomepath/run_progress.js",
    ):
        assert part in page
    assert f'data-state-url="{reverse("admin:genomepath_trainingrun_state", args=[run.pk])}"' in page
    assert 'data-moving="1"' in page


def test_the_state_that_the_page_polls(engineer: Client) -> None:
    run = make_run(progress_done=3, progress_total=10, message="Epoch 3", log="line one\n")
    response = engineer.get(reverse("admin:genomepath_trainingrun_state", args=[run.pk]))
    assert "no-store" in response.headers["Cache-Control"]
    state = json.loads(response.content)
    assert {name: state[name] for name in ("state", "moving", "done", "total", "progress", "message", "log")} == {
        "state": "running", "moving": True, "done": 3, "total": 10,
        "progress": "3 of 10", "message": "Epoch 3", "log": "line one\n",
    }  # fmt: skip
    TrainingRun.objects.update(state="succeeded", model_version=make_model_version())
    ended = json.loads(engineer.get(reverse("admin:genomepath_trainingrun_state", args=[run.pk])).content)
    assert ended["moving"] is False
    assert ended["model_version_url"]


def test_the_state_of_an_absent_run_is_not_found(engineer: Client) -> None:
    assert engineer.get(reverse("admin:genomepath_trainingrun_state", args=[987654])).status_code == 404
    assert engineer.get("/admin/genomepath/trainingrun/none/state/").status_code == 404


def test_the_state_is_not_for_people_without_the_permission(client: Client) -> None:
    client.force_login(make_person(CURATOR))
    assert client.get(reverse("admin:genomepath_trainingrun_state", args=[make_run().pk])).status_code == 403


def test_a_run_is_cancelled_by_a_confirmed_post(engineer: Client) -> None:
    run = make_run()
    page = reverse("admin:genomepath_trainingrun_cancel", args=[run.pk])
    assert engineer.get(page).status_code == 200
    assert TrainingRun.objects.get().state == "running"
    engineer.post(page)
    assert TrainingRun.objects.get().state == "cancelled"
    assert engineer.post(page).status_code == 403


def test_a_failed_run_shows_its_error_escaped(engineer: Client) -> None:
    run = make_run(state="failed", message="It broke", error="Traceback <script>alert(1)</script>")
    page = engineer.get(reverse("admin:genomepath_trainingrun_change", args=[run.pk])).content.decode()
    assert "The run ended badly: It broke" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_a_version_that_was_not_evaluated_is_refused_in_words(engineer: Client) -> None:
    version = make_model_version(state="candidate")
    response = engineer.post(reverse("admin:genomepath_modelversion_promote", args=[version.pk]))
    assert response.status_code == 422
    assert "has not been evaluated" in response.content.decode()
    assert ModelVersion.objects.get().state == "candidate"


def test_a_marked_version_is_refused_and_says_why(engineer: Client) -> None:
    version = make_model_version(state="candidate", marked_at=timezone.now())
    response = engineer.post(reverse("admin:genomepath_modelversion_promote", args=[version.pk]))
    assert "has since been withheld" in response.content.decode()


def test_a_rollback_to_a_version_that_was_never_in_service_is_refused_in_words(engineer: Client) -> None:
    version = make_model_version(state="candidate")
    response = engineer.post(reverse("admin:genomepath_modelversion_roll_back", args=[version.pk]))
    assert response.status_code == 422
    assert "was not in service before" in response.content.decode()


def test_a_rollback_is_a_confirmed_post_in_the_engineers_name(engineer: Client) -> None:
    version = make_scored_version([make_practice()], [make_target()], state="retired", promoted_at=timezone.now())
    (Path(settings.ARTEFACT_ROOT) / version.snapshot_folder).mkdir(parents=True)
    page = reverse("admin:genomepath_modelversion_roll_back", args=[version.pk])
    assert engineer.get(page).status_code == 200
    assert ModelVersion.objects.get().state == "retired"
    assert engineer.post(page).status_code == 302
    version.refresh_from_db()
    assert (version.state, version.promoted_by) == ("active", "engineer")
    assert AuditEvent.objects.get(event_type="model.rolled_back").actor_name == "engineer"


@pytest.mark.parametrize(("state", "offered"), [("retired", True), ("active", False), ("candidate", False)])
def test_a_version_offers_to_be_rolled_back_to_where_it_was_in_service_before(
    engineer: Client, state: str, offered: bool
) -> None:
    version = make_model_version(state=state)
    page = engineer.get(reverse("admin:genomepath_modelversion_change", args=[version.pk])).content.decode()
    assert "Promote" in page
    assert ("Roll back to this" in page) is offered


@pytest.mark.parametrize("kind", ["evaluation", "publication"])
def test_evaluation_and_publication_are_asked_for_with_a_button(engineer: Client, kind: str) -> None:
    version = make_model_version(state="candidate")
    button = {"evaluation": "evaluate", "publication": "publish"}[kind]
    page = reverse(f"admin:genomepath_modelversion_{button}", args=[version.pk])
    assert engineer.get(page).status_code == 200
    assert not TrainingRun.objects.exists()
    engineer.post(page)
    run = TrainingRun.objects.get()
    assert (run.kind, run.model_version, run.requested_by) == (kind, version, "engineer")


GATE = {
    "passed": True,
    "provisional": True,
    "rules": [
        {"name": "leakage checks", "passed": True, "detail": "5 checks passed", "waivable": False},
        {"name": "better than popularity", "passed": False, "detail": "MRR 40.0 against 60.0", "waivable": True},
    ],
}
METRICS = {
    "targets": [
        {"name": "MRR TK→G", "reached": "40.0 [35.0, 45.0]", "minimum": ["≥ 40", True], "production": ["≥ 40", True],
         "ours": ["≥ 72", False]},
    ],
    "protocols": {
        "P1": {
            "chance": {"accuracy": {"tk_to_genomic": {"5": 0.1}}, "mrr": {"tk_to_genomic": 0.09}},
            "scorers": {
                "subject": {
                    "oracle": False,
                    "consistency": {"value": 0.5, "low": 0.4, "high": 0.6},
                    "directions": {
                        "tk_to_genomic": {"accuracy": {"5": {"value": 0.9, "low": 0.8, "high": 0.95}}, "mrr": None}
                    },
                }
            },
        }
    },
}  # fmt: skip


def test_the_page_of_a_version_shows_gate_and_metrics_but_not_what_it_was_trained_on(engineer: Client) -> None:
    version = make_model_version(
        provisional=True, gate=GATE, metrics=METRICS, trained_on=["00000000-0000-4000-8000-000000000001"]
    )
    page = engineer.get(reverse("admin:genomepath_modelversion_change", args=[version.pk])).content.decode()
    for part in (
        "leakage checks", "waived (first model)", "MRR 40.0 against 60.0", "provisional", "≥ 72: not met", "≥ 40: met",
        "90.0 [80.0, 95.0]", "not measured", "chance", "1 governed items",
    ):  # fmt: skip
        assert part in page, part
    assert "00000000-0000-4000-8000-000000000001" not in page
