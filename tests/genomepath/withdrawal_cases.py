"""What the tests of withdrawals share: files of a model out of service, an objection, and what a case has done."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from django.conf import settings as django_settings

from correlations.models import Practice
from ethics.models import WithdrawalCase
from ethics.stewardship import item_record_objection
from genomepath.models import ModelVersion
from tests.factories import make_model_version

RETIRED_MODEL = "a" * 64
DATA = "d" * 64


def write(path: str, content: str) -> str:
    """Write a file below the artefact root; returns its SHA-256."""
    file = Path(django_settings.ARTEFACT_ROOT) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return hashlib.sha256(content.encode()).hexdigest()


def write_snapshot_of(practice: Practice, data_sha256: str = DATA) -> str:
    return write(f"snapshots/{data_sha256}/practices.jsonl", json.dumps({"slug": practice.slug}) + "\n")


def retired_version_of(practice: Practice, **fields) -> ModelVersion:
    write("models/run-old/tensorboard/events", "events")
    write("models/run-old/model.safetensors", "weights")
    write_snapshot_of(practice)
    return make_model_version(
        **{
            "sha256": RETIRED_MODEL,
            "state": "retired",
            "folder": "models/run-old",
            "snapshot_folder": f"snapshots/{DATA}",
            "data_sha256": DATA,
            "trained_on": [practice.item.public_id],
            **fields,
        }
    )


def object_to(practice: Practice) -> WithdrawalCase:
    item_record_objection(item=practice.item, reference="letter 1", reason="the community objects")
    return WithdrawalCase.objects.latest("pk")


def steps(case: WithdrawalCase) -> dict[tuple[str, str], dict]:
    return {(step.what, step.where): step.counts for step in case.steps.filter(done_at__isnull=False)}


def artefact_paths() -> list[str]:
    root = Path(django_settings.ARTEFACT_ROOT)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
