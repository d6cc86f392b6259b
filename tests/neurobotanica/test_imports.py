"""The arrows between the packages, proved by import-linter; and that start-up loads nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service_home import PROJECT_ROOT

HEAVY = ("torch", "transformers", "sentence_transformers", "sklearn", "onnxruntime", "tensorboard")


def run(*command: str, cwd: Path = PROJECT_ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(command),
        check=False,
        cwd=cwd,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
    )


def lint_imports(cwd: Path = PROJECT_ROOT) -> subprocess.CompletedProcess[str]:
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return run(sys.executable, "-c", script, "--no-cache", cwd=cwd)


def test_the_arrows_hold_in_code_and_in_migrations():
    linted = lint_imports()

    assert linted.returncode == 0, linted.stdout
    assert "0 broken" in linted.stdout


def test_the_linter_finds_a_planted_arrow_in_a_migration(tmp_path):
    """The proof above means something only if a wrong arrow would be found."""
    for package in ("neurobotanica", "genomepath", "correlations", "ethics"):
        (tmp_path / package / "migrations").mkdir(parents=True)
        for folder in (tmp_path / package, tmp_path / package / "migrations"):
            (folder / "__init__.py").touch()
    (tmp_path / "genomepath" / "models.py").touch()
    for folder in ("genomepath/ml", "genomepath/reporting"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "ethics" / "migrations" / "0001_initial.py").write_text("import genomepath.models\n")
    (tmp_path / "pyproject.toml").write_bytes((PROJECT_ROOT / "pyproject.toml").read_bytes())

    linted = lint_imports(tmp_path)

    assert linted.returncode != 0
    assert "ethics.migrations.0001_initial -> genomepath.models" in linted.stdout


@pytest.mark.parametrize(
    "module", ["neurobotanica.wsgi", "neurobotanica.celery", "genomepath.tasks", "genomepath.run_execution"]
)
def test_start_up_loads_nothing_heavy(module):
    """Not even the ML worker: its pool processes load torch after the fork, on use."""
    script = (
        "import os, sys, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'neurobotanica.settings')\n"
        "django.setup()\n"
        f"import {module}\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    loaded = run(sys.executable, "-c", script)

    assert loaded.stdout.strip() == "[]", loaded.stderr
