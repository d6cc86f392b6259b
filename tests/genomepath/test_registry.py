"""The registry: nothing is promoted past the gate, one version serves, and every step is recorded."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from ethics.desk.event_words import fields_in_words
from ethics.models import AuditEvent
from ethics.policy import SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from genomepath import registry
from genomepath.artefacts import model_folder
from genomepath.ml.checkpoint import read_manifest, update_manifest, write_json
from genomepath.models import ModelVersion, Prediction, TrainingRun
from genomepath.registry import model_gate, model_promote, model_register, model_retire
from genomepath.run_command import find_version
from tests.factories import make_model_version, make_practice
from tests.genomepath.gate_evaluations import beats_the_baselines, events, loses_to_a_baseline, ranks_every_pair

pytestmark = pytest.mark.django_db
CANARY = "canary-5c1d-in-a-model-file"


def rules(version: ModelVersion) -> dict[str, bool]:
    version.refresh_from_db()
    return {rule["name"]: rule["passed"] for rule in version.gate["rules"]}


def test_a_version_that_was_never_evaluated_is_refused():
    with pytest.raises(ValidationError, match="has not been evaluated"):
        model_promote(version=make_model_version(state="candidate"), promoted_by="engineer")


def test_a_version_trained_on_knowledge_since_withheld_is_refused(evaluated):
    item_record_objection(
        item=evaluated.catalogue.practices[0].item, reference="letter 1", reason="the community objects"
    )
    evaluated.version.refresh_from_db()

    assert evaluated.version.marked_at is not None
    with pytest.raises(ValidationError, match="has since been withheld"):
        model_promote(version=evaluated.version, promoted_by="engineer")


def test_a_withdrawal_that_comes_while_an_old_instance_is_held_still_refuses(evaluated):
    held = ModelVersion.objects.get(pk=evaluated.version.pk)
    ModelVersion.objects.filter(pk=held.pk).update(marked_at=timezone.now())

    with pytest.raises(ValidationError, match="has since been withheld"):
        model_promote(version=held, promoted_by="engineer")

    assert not Prediction.objects.exists()


def test_a_quarantined_version_is_refused_even_by_an_old_instance(evaluated):
    held = ModelVersion.objects.get(pk=evaluated.version.pk)
    ModelVersion.objects.filter(pk=held.pk).update(state="quarantined")

    for version in (held, ModelVersion.objects.get(pk=held.pk)):
        with pytest.raises(ValidationError, match="quarantined"):
            model_promote(version=version, promoted_by="engineer")


def test_promotion_publishes_and_records(evaluated):
    promoted = model_promote(version=evaluated.version, promoted_by="engineer")

    assert (promoted.state, promoted.promoted_by) == ("active", "engineer")
    assert promoted.promoted_at is not None
    practices, targets = len(evaluated.catalogue.practices), len(evaluated.catalogue.targets)
    assert Prediction.objects.filter(model_version=promoted).count() == 4 * practices * targets
    assert events(promoted) == ["model.gated", "predictions.published", "model.promoted"]


def test_the_gate_measures_a_real_model_by_every_hard_rule(evaluated):
    model_gate(version=evaluated.version)

    passed = rules(evaluated.version)
    assert all(passed[name] for name in ("leakage checks", "ethics scan", "attribution", "ONNX parity"))
    assert passed["calibration measured"]
    assert {"better than popularity", "better than zero-shot cosine"} <= set(passed)


def test_a_first_version_that_beats_the_baselines_is_not_provisional(copy_version):
    promoted = model_promote(version=copy_version(1, beats_the_baselines), promoted_by="engineer")

    assert not promoted.provisional


def test_a_first_version_that_a_baseline_beats_is_promoted_as_provisional(copy_version):
    promoted = model_promote(version=copy_version(1, loses_to_a_baseline), promoted_by="engineer")

    assert promoted.provisional
    event = AuditEvent.objects.get(event_type="model.promoted")
    assert event.details == {"provisional": True}


def test_a_second_version_that_a_baseline_beats_is_refused(copy_version):
    model_promote(version=copy_version(1, loses_to_a_baseline), promoted_by="engineer")
    second = copy_version(2, loses_to_a_baseline)

    with pytest.raises(ValidationError) as refused:
        model_promote(version=second, promoted_by="engineer")

    assert refused.value.messages[0] == "The gate refuses this model version."
    assert refused.value.messages[1].startswith("better than popularity: ")
    assert events(second) == ["model.gated"]
    second.refresh_from_db()
    assert (second.state, second.gate["passed"]) == ("candidate", False)


def test_a_second_version_worse_than_the_active_one_is_refused_and_the_active_one_stays(copy_version):
    first = model_promote(version=copy_version(1, ranks_every_pair(0.9)), promoted_by="engineer")
    published = Prediction.objects.count()

    with pytest.raises(ValidationError, match="not worse than the active model"):
        model_promote(version=copy_version(2, ranks_every_pair(0.1)), promoted_by="engineer")

    assert list(ModelVersion.objects.filter(state="active")) == [first]
    assert Prediction.objects.count() == published


def test_a_better_version_retires_the_active_one(copy_version):
    first = model_promote(version=copy_version(1, ranks_every_pair(0.5)), promoted_by="engineer")
    second = model_promote(version=copy_version(2, ranks_every_pair(0.9)), promoted_by="engineer")

    first.refresh_from_db()
    assert (first.state, second.state) == ("retired", "active")
    assert events(first)[-1] == "model.retired"


def test_promoting_a_retired_version_goes_through_the_gate_as_well(copy_version):
    first, second = (copy_version(number, ranks_every_pair(0.5)) for number in (1, 2))
    model_promote(version=first, promoted_by="engineer")
    model_promote(version=second, promoted_by="engineer")
    first.refresh_from_db()

    assert model_promote(version=first, promoted_by="engineer").state == "active"

    assert events(first).count("model.gated") == 2
    assert ModelVersion.objects.get(pk=second.pk).state == "retired"


@pytest.fixture
def meanwhile(monkeypatch):
    """Has something done between the gate's decision and the activation, once."""
    decide = registry.model_gate

    def do(act):
        def decide_and_act(*, version):
            verdict = decide(version=version)
            monkeypatch.setattr(registry, "model_gate", decide)
            act()
            return verdict

        monkeypatch.setattr(registry, "model_gate", decide_and_act)

    return do


def test_a_version_that_went_into_service_after_the_gate_decided_is_not_replaced_unseen(copy_version, meanwhile):
    first, second, better = (copy_version(n, ranks_every_pair(value)) for n, value in ((1, 0.5), (2, 0.6), (3, 0.9)))
    model_promote(version=first, promoted_by="engineer")
    meanwhile(lambda: model_promote(version=better, promoted_by="other"))

    with pytest.raises(ValidationError, match="went into service meanwhile"):
        model_promote(version=second, promoted_by="engineer")

    assert ModelVersion.objects.get(state="active") == better


def test_of_two_first_versions_at_once_one_is_promoted(copy_version, meanwhile):
    first, second = copy_version(1, beats_the_baselines), copy_version(2, loses_to_a_baseline)
    meanwhile(lambda: model_promote(version=first, promoted_by="other"))

    with pytest.raises(ValidationError, match="went into service meanwhile"):
        model_promote(version=second, promoted_by="engineer")

    assert ModelVersion.objects.get(state="active") == first


def test_a_version_is_not_provisional_once_another_was_first_and_has_left_service(copy_version, meanwhile):
    first, second = copy_version(1, beats_the_baselines), copy_version(2, loses_to_a_baseline)
    meanwhile(lambda: model_retire(version=model_promote(version=first, promoted_by="other")))

    with pytest.raises(ValidationError, match="not the first any more"):
        model_promote(version=second, promoted_by="engineer")


def test_a_version_takes_the_place_of_the_one_it_was_compared_with_although_a_deadline_retired_it(
    copy_version, meanwhile
):
    first, second = copy_version(1, ranks_every_pair(0.5)), copy_version(2, ranks_every_pair(0.6))
    model_promote(version=first, promoted_by="engineer")
    meanwhile(lambda: model_retire(version=first))

    assert model_promote(version=second, promoted_by="engineer").state == "active"


def test_the_decision_names_the_version_it_compared_with(copy_version):
    first, second = copy_version(1, ranks_every_pair(0.5)), copy_version(2, ranks_every_pair(0.6))
    model_promote(version=first, promoted_by="engineer")

    model_gate(version=second)

    compared = [
        event.details["compared_with"] for event in AuditEvent.objects.filter(event_type="model.gated").order_by("pk")
    ]
    assert compared == [None, first.sha256]
    assert second.gate["compared_with"] == first.sha256


def test_the_event_of_a_decision_holds_every_rule_with_its_verdict_and_numbers(copy_version):
    version = copy_version(1, loses_to_a_baseline)
    verdict = model_gate(version=version)

    details = AuditEvent.objects.get(event_type="model.gated").details
    words = {True: "passed", False: "waived for the first model"}
    assert details["rules"] == [
        f"{rule['name']}: {words[rule['passed']]} ({rule['detail']})" for rule in verdict["rules"]
    ]
    assert any("-20.0 [-30.0, -10.0]" in rule for rule in details["rules"])


def test_the_compliance_desk_shows_the_rules_one_by_one(evaluated):
    verdict = model_gate(version=evaluated.version)

    fields = {
        field.name: field.values for field in fields_in_words(AuditEvent.objects.get(event_type="model.gated"), "")
    }
    assert len(fields["Rules"]) == len(verdict["rules"])
    assert [value.text for value in fields["Compared with"]] == ["none"]


def test_the_event_of_a_refusal_says_which_rule_failed(copy_version):
    model_promote(version=copy_version(1, beats_the_baselines), promoted_by="engineer")

    model_gate(version=copy_version(2, loses_to_a_baseline))

    details = AuditEvent.objects.filter(event_type="model.gated").latest("pk").details
    assert next(rule for rule in details["rules"] if ": failed (" in rule).startswith(
        "better than popularity: failed ("
    )


def test_a_folder_that_holds_another_model_is_refused(evaluated, settings):
    folder = model_folder(evaluated.version)
    write_json(folder / "catalogue.json", {"practices": [], "targets": []})
    update_manifest(folder)

    with pytest.raises(ValidationError, match=f"holds another model, {read_manifest(folder).model_sha256[:12]}"):
        model_gate(version=evaluated.version)


def test_a_file_that_was_changed_since_is_refused_by_name(evaluated):
    with (model_folder(evaluated.version) / "model.safetensors").open("ab") as file:
        file.write(b" ")

    with pytest.raises(ValidationError, match=r"model\.safetensors differ from the manifest"):
        model_gate(version=evaluated.version)


def test_an_active_version_whose_evaluation_is_gone_cannot_be_replaced_unseen(copy_version):
    first = model_promote(version=copy_version(1, beats_the_baselines), promoted_by="engineer")
    (model_folder(first) / "evaluation.json").unlink()

    with pytest.raises(ValidationError, match="no evaluation to compare with"):
        model_promote(version=copy_version(2, beats_the_baselines), promoted_by="engineer")


def test_a_withheld_text_in_a_model_file_makes_the_gate_refuse(evaluated):
    practice = make_practice(title=CANARY, cultural_context=CANARY)
    item_set_status(item=practice.item, status=SacredStatus.SACRED)
    (model_folder(evaluated.version) / "notes.txt").write_text(f"planted: {CANARY}")

    with pytest.raises(ValidationError) as refused:
        model_promote(version=evaluated.version, promoted_by="engineer")

    assert "ethics scan: the scan found a leak" in refused.value.messages
    assert CANARY not in " ".join(refused.value.messages)
    assert rules(evaluated.version)["ethics scan"] is False
    assert AuditEvent.objects.get(event_type="model.gated").details["failed_rules"].count("ethics scan") == 1


@pytest.mark.parametrize("gone", ["folder", "snapshot_folder"])
def test_a_version_whose_files_are_gone_is_refused(evaluated, settings, gone):
    shutil.rmtree(settings.ARTEFACT_ROOT / getattr(evaluated.version, gone))

    with pytest.raises(ValidationError, match=r"gone|not been evaluated"):
        model_promote(version=evaluated.version, promoted_by="engineer")


def test_a_missing_onnx_measurement_makes_the_gate_refuse(evaluated):
    (model_folder(evaluated.version) / "onnx_parity.json").unlink()
    update_manifest(model_folder(evaluated.version))

    with pytest.raises(ValidationError, match="ONNX parity: not measured"):
        model_promote(version=evaluated.version, promoted_by="engineer")


def test_a_failed_publication_undoes_the_whole_promotion(copy_version):
    first = model_promote(version=copy_version(1, beats_the_baselines), promoted_by="engineer")
    second = copy_version(2, beats_the_baselines)
    (model_folder(second) / "scores.safetensors").unlink()
    update_manifest(model_folder(second))

    with pytest.raises(ValidationError, match="cannot be read"):
        model_promote(version=second, promoted_by="engineer")

    assert list(ModelVersion.objects.filter(state="active")) == [first]
    assert "model.retired" not in events(first)


def test_the_database_allows_one_active_version():
    make_model_version(state="active")

    with pytest.raises(IntegrityError, match="model_one_active"), transaction.atomic():
        make_model_version(state="active")


def test_the_same_weights_are_one_version(evaluated, settings):
    again = model_register(
        sha256=evaluated.version.sha256,
        folder=model_folder(evaluated.version),
        snapshot_folder=settings.ARTEFACT_ROOT / evaluated.version.snapshot_folder,
        trained_on=(),
        include_drafts=False,
    )

    assert again == evaluated.version
    assert ModelVersion.objects.count() == 1


def register_again(version: ModelVersion, folder):
    return model_register(
        sha256=version.sha256, folder=folder, snapshot_folder=folder, trained_on=(), include_drafts=False
    )


def test_weights_trained_again_keep_their_folder_and_leave_no_copy(evaluated, settings):
    folder, again = model_folder(evaluated.version), settings.ARTEFACT_ROOT / "models" / "run-again"
    shutil.copytree(folder, again)

    assert model_folder(register_again(evaluated.version, again)) == folder
    assert folder.is_dir()
    assert not again.exists()


def test_weights_trained_again_after_their_folder_was_lost_take_the_new_one(evaluated, settings):
    again = settings.ARTEFACT_ROOT / "models" / "run-again"
    shutil.move(model_folder(evaluated.version), again)

    assert model_folder(register_again(evaluated.version, again)) == again
    assert again.is_dir()


def test_commands_take_the_version_that_was_trained_last(evaluated, copy_version):
    later_created = copy_version(2)
    for minutes, version in ((5, later_created), (1, evaluated.version)):
        TrainingRun.objects.create(
            kind="training",
            state="succeeded",
            model_version=version,
            requested_by="engineer",
            finished_at=timezone.now() - timedelta(minutes=minutes),
        )

    assert find_version(None) == evaluated.version
