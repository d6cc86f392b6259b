"""The files that take longest, the longest first; `pytest --durations` tells."""

from __future__ import annotations

from pathlib import Path

# The first makes the model that many others take; the second needs none, so that it does not wait for it.
LONG_FILES = (
    "genomepath/test_api_faults.py",
    "genomepath/test_worker.py",
    "governance/test_stateful_policy.py",
    "genomepath/test_withdrawal_retraining.py",
    "genomepath/ml/test_training_run.py",
    "genomepath/test_evaluation_report.py",
    "genomepath/test_api_hostile.py",
    "genomepath/test_api_contract.py",
    "governance/test_artefacts.py",
    "genomepath/test_commands.py",
    "genomepath/ml/test_onnx_export.py",
    "genomepath/ml/test_training.py",
    "genomepath/ml/test_evaluation_workers.py",
    "genomepath/ml/test_ablation.py",
    "neurobotanica/test_quickstart.py",
    "genomepath/test_training_report_page.py",
    "governance/test_withdrawal_under_load.py",
    "browser/test_compliance_desk.py",
    "browser/test_roles.py",
    "browser/test_reasons.py",
    "browser/test_training.py",
    "neurobotanica/test_bench_serving.py",
    "neurobotanica/embedded/test_recovery.py",
    "ethics/audit/test_sealer_killed.py",
)
_PLACES = {Path(__file__).parent / name: place for place, name in enumerate(LONG_FILES)}


def place_of(file: Path) -> int:
    """Where a test file stands in the order; those that are not listed come after all others, in the order they have."""
    return _PLACES.get(file, len(_PLACES))
