"""Nothing is written past the log: each service that writes is one transaction and records an event."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import FunctionType

import pytest

from correlations import curation
from ethics import (
    clients,
    community_stewards,
    consent,
    records,
    status_lowering,
    stewardship,
    withdrawal_receipts,
    withdrawals,
)
from ethics.audit import archive, pack, registered_event_types, shredding, verification
from ethics.desk import alert_handling, saved_filters
from genomepath import (
    export_records,
    publication,
    registry,
    run_execution,
    runs,
    snapshots,
    tuning,
    tuning_execution,
    withdrawal,
)

ROOT = Path(__file__).resolve().parents[2]
SERVICE_MODULES = (
    archive, verification,
    alert_handling, clients, community_stewards, consent, pack, records, saved_filters, shredding, status_lowering,
    stewardship, withdrawal_receipts, withdrawals, curation, export_records, publication, registry, run_execution, runs,
    snapshots, tuning, tuning_execution,
    withdrawal,
)  # fmt: skip
PACKAGES = ("ethics", "correlations", "genomepath", "neurobotanica")
# Readers, and writers that a recording service calls within its own transaction.
NOT_SERVICES = {
    "ethics.audit.archive.archivable_size": "reads",
    "ethics.audit.archive.archived_before": "reads",
    "ethics.audit.verification.audit_log_verify": "verification_record keeps and records what it found",
    "ethics.audit.verification.inspect_log": "reads",
    "ethics.audit.pack.evidence_pack_write": "seals first; then writes and records in one transaction, and names the file",
    "ethics.community_stewards.communities_of": "reads",
    "ethics.community_stewards.is_confined": "reads",
    "ethics.community_stewards.refuse_foreign_community": "reads",
    "ethics.consent.covered_items": "reads",
    "ethics.records.governed_item_of": "reads",
    "ethics.records.subject_of": "reads",
    "ethics.records.record_change": "is the recording",
    "ethics.stewardship.item_create": "its callers record the item together with what it belongs to",
    "genomepath.publication.withdrawn_items": "reads",
    "genomepath.registry.model_register": "the run that calls it is recorded",
    "genomepath.registry.model_promote": "its two steps are transactions with events of their own",
    "genomepath.registry.model_roll_back": "its checks come before its one transaction, which records",
    "genomepath.runs.has_fresh_heartbeat": "reads",
    "genomepath.runs.heartbeat_limit": "reads",
    "genomepath.run_execution.run_execute": "claims, works and ends in transactions of their own",
    "genomepath.runs.runs_reap_lost": "changes the state of work, not what is known or allowed",
    "genomepath.snapshots.snapshot_export": "snapshot_take records",
    "genomepath.tuning.is_withheld": "reads",
    "genomepath.tuning.is_worked_on": "reads",
    "genomepath.tuning.ml_worker_answers": "reads",
    "genomepath.tuning.open_points": "reads",
    "genomepath.tuning.tuning_points_requeue": "changes the state of work, not what is known or allowed",
    "genomepath.tuning.tuning_study_find_or_request": "tuning_study_request records, and the snapshot that it is of",
    "genomepath.tuning_execution.tuning_point_execute": "claims, trains and ends in transactions of their own",
    "genomepath.tuning_execution.tuning_study_work": "claims, trains and ends in transactions of their own",
    "ethics.withdrawals.step_done": "reads",
    "ethics.withdrawals.withdrawal_step_begin": "its step is recorded when it is done",
    "genomepath.export_records.export_notices": "reads",
    "genomepath.export_records.exports_with": "reads",
    "genomepath.withdrawal.versions_trained_on": "reads",
    "genomepath.withdrawal.withheld_from_training": "reads",
    "genomepath.withdrawal.mark_models_of_withheld_items": "runs within the deciding transaction",
}
RECORDERS = {"record", "record_change"}


def services() -> dict[str, FunctionType]:
    """Every public function of the service modules, by its full name."""
    return {
        f"{module.__name__}.{name}": function
        for module in SERVICE_MODULES
        for name, function in vars(module).items()
        if inspect.isfunction(function) and not name.startswith("_") and function.__module__ == module.__name__
    }


def _tree(function: FunctionType) -> ast.FunctionDef:
    source = ast.parse(inspect.getsource(inspect.unwrap(function)))
    tree = source.body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def _calls(node: ast.AST) -> set[str]:
    calls = (call.func for call in ast.walk(node) if isinstance(call, ast.Call))
    return {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls}


def _records(function: FunctionType) -> bool:
    """Whether it records an event itself or through a private function of its module."""
    module = ast.parse(inspect.getsource(inspect.getmodule(function)))  # type: ignore[arg-type]
    private = {node.name: _calls(node) for node in module.body if isinstance(node, ast.FunctionDef)}
    calls = _calls(_tree(function))
    through = {name for call in calls & private.keys() for name in private[call]}
    return bool((calls | through) & RECORDERS)


@pytest.mark.parametrize("name", sorted(services().keys() - NOT_SERVICES.keys()))
def test_a_service_is_one_transaction_with_its_event(name: str) -> None:
    function = services()[name]
    decorators = {ast.unparse(decorator) for decorator in _tree(function).decorator_list}
    assert "transaction.atomic" in decorators
    assert _records(function)


def test_every_exception_is_a_function_that_exists() -> None:
    assert NOT_SERVICES.keys() <= services().keys()


def test_services_take_keywords_only() -> None:
    for name in services().keys() - NOT_SERVICES.keys():
        parameters = inspect.signature(services()[name]).parameters.values()
        assert all(parameter.kind == inspect.Parameter.KEYWORD_ONLY for parameter in parameters), name


def test_every_registered_event_type_is_recorded_somewhere() -> None:
    texts = [
        path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.name not in {"audit_events.py", "event_types.py"}
    ]
    unused = {name for name in registered_event_types() if not any(f'"{name}"' in text for text in texts)}
    assert unused == set()
