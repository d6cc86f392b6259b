"""The training report and the model card of a version, written to a folder, with the credit of whom they name.

A practice is named only where every audience of clients may be handed it, with its attribution; the register of exports
notes each that is, so that its recipient is told of a withdrawal.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from correlations.models import Correlation, Evidence, Practice
from ethics.attribution import AttributionStatement, attribution_for
from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose
from genomepath.artefacts import artefact_root, model_folder, read_evaluation, read_json
from genomepath.export_records import export_record_add
from genomepath.export_uses import EVERYBODY
from genomepath.ml.permutation_test import PermutationResult
from genomepath.ml.results import EvaluationResult
from genomepath.ml.snapshot import Snapshot, SnapshotError, read_snapshot
from genomepath.models import ModelVersion
from genomepath.reporting.html_page import render_html
from genomepath.reporting.markdown import render_markdown
from genomepath.reporting.material import (
    Ablation,
    ModelFacts,
    PracticeCredit,
    ReportError,
    ReportMaterial,
    SourceCounts,
)
from genomepath.reporting.model_card import model_card
from genomepath.reporting.training_report import training_report
from genomepath.withdrawal import models_mark_withheld

REPORT, PAGE, CARD = "MODEL_TRAINING_REPORT.md", "MODEL_TRAINING_REPORT.html", "MODEL_CARD.md"


def evaluation_report_write(
    *,
    version: ModelVersion,
    folder: Path,
    recipient: str,
    ablation: Ablation | None = None,
    permutation: PermutationResult | None = None,
    figures_only: bool = False,
) -> list[Path]:
    """Write report, page and card of an evaluated version; the same evaluation gives the same bytes. With ``figures_only``
    no practice, community or source is named, so that the report may go where the data may not.

    Raises:
        ValidationError: the version is marked, was never evaluated, or its files are gone or say too little; or a practice
            that the report names went out of use meanwhile.
        OSError: the folder cannot be written.
    """
    refuse_marked(version)
    snapshot = _snapshot_of(version)
    named = {} if figures_only else _named_practices(snapshot)
    try:
        material = replace(
            _material(version, snapshot, {slug: credit for slug, (_, credit) in named.items()}),
            ablation=ablation,
            permutation=permutation,
        )
        report, card = training_report(material), model_card(material)
    except ReportError as error:
        raise ValidationError(str(error)) from error
    contents = {REPORT: render_markdown(report), PAGE: render_html(report), CARD: render_markdown(card)}
    if named:
        export_record_add(
            what="training report",
            recipient=recipient,
            data_sha256=version.data_sha256,
            item_public_ids=[public_id for public_id, _ in named.values()],
            audiences=EVERYBODY,
        )
    for name, content in contents.items():
        partial = folder / f".{name}.partial"
        partial.write_text(content, encoding="utf-8")
        partial.replace(folder / name)
    return [folder / name for name in contents]


def refuse_marked(version: ModelVersion) -> None:
    """Refuse a version that knows what has been withheld since.

    Raises:
        ValidationError: see above.
    """
    models_mark_withheld()
    version.refresh_from_db()
    if version.marked_at is not None:
        raise ValidationError(
            "This model version was trained on knowledge that has since been withheld: no report of it is written."
        )


def prepare_folder(folder: Path) -> None:
    """Make the folder of a report, and find out now whether it can be written.

    Raises:
        OSError: it is a file, or can't be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".report-", dir=folder):
        pass


def read_ablation(file: Path) -> Ablation:
    """The variants that ``python -m genomepath.ml.ablation --json`` wrote.

    Raises:
        ValidationError: it can't be read, or is no evaluation.
    """
    try:
        payload = json.loads(file.read_text(encoding="utf-8"))
        return Ablation(EvaluationResult.from_dict(payload), payload["preset"])
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise ValidationError(f"{file} is no ablation that can be read: {error}") from error


def read_permutation(file: Path) -> PermutationResult:
    """The rows that ``python -m genomepath.ml.permutation_test --json`` wrote.

    Raises:
        ValidationError: it can't be read, or is no permutation test.
    """
    try:
        return PermutationResult.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValidationError(f"{file} is no permutation test that can be read: {error}") from error


def _material(
    version: ModelVersion,
    snapshot: Snapshot,
    credits: Mapping[str, PracticeCredit],
) -> ReportMaterial:
    evaluation = read_evaluation(version)
    if evaluation is None:
        raise ReportError("This model version has no evaluation that can be read: run evaluate_genomepath.")
    return ReportMaterial(
        evaluation=evaluation,
        snapshot=snapshot,
        model=_model_facts(version),
        sources=_source_counts(snapshot),
        credits=credits,
        gate=version.gate,
    )


def _snapshot_of(version: ModelVersion) -> Snapshot:
    try:
        return read_snapshot(artefact_root() / version.snapshot_folder)
    except SnapshotError as error:
        raise ValidationError("The snapshot of this model version is gone or damaged.") from error


def _model_facts(version: ModelVersion) -> ModelFacts:
    folder = model_folder(version)
    config = read_json(folder / "config.json")
    if config is None:
        raise ReportError("The files of this model version are gone.")
    history = folder / "history.jsonl"
    lines = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
    return ModelFacts(
        sha256=version.sha256,
        preset=config["preset"],
        seed=config["seed"],
        best_epoch=config["best_epoch"],
        data_sha256=config["data_sha256"],
        code_version=config["code_version"],
        constraints_sha256=config["constraints_sha256"],
        # A version from before this hyperparameter calibrated on the part that its training stopped by.
        calibration_parts=config["hyperparameters"].get("calibration_parts", 0),
        include_drafts=version.include_drafts,
        history=tuple(json.loads(line) for line in lines),
    )


def _source_counts(snapshot: Snapshot) -> SourceCounts:
    now = timezone.now()
    slugs = [record.slug for record in snapshot.practices]
    items = GovernedItem.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM, now).filter(
        practice__slug__in=slugs
    )
    linked = Correlation.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM, now).filter(
        practice__slug__in=slugs
    )
    cited = Evidence.objects.filter(pk__in=linked.values("evidence"))
    levels = Counter(cited.values_list("level", flat=True))
    return SourceCounts(
        communities=items.values("community").distinct().count(),
        practice_sources=items.exclude(basis_source="").values("basis_source").distinct().count(),
        evidence_by_level=dict(sorted(levels.items())),
    )


def _named_practices(snapshot: Snapshot) -> dict[str, tuple[UUID, PracticeCredit]]:
    """Public id and credit, by slug, of the practices that every audience of clients may be handed."""
    now = timezone.now()
    slugs = [record.slug for record in snapshot.practices]
    practices = (
        Practice.objects.permitted_for(Purpose.EXPORT, Audience.COMMERCIAL, now)
        .filter(slug__in=slugs)
        .with_policy_facts()
    )
    named = {}
    for practice in practices:
        statements = [attribution_for(practice.item, Purpose.EXPORT, audience, now) for audience in EVERYBODY]
        if statements[0] is not None and None not in statements:
            named[practice.slug] = (practice.item.public_id, _credit(practice.title, statements[0]))
    return named


def _credit(title: str, attribution: AttributionStatement) -> PracticeCredit:
    basis = attribution["basis"]
    return PracticeCredit(
        title=title,
        community=attribution["community"]["name"],
        statement=attribution["statement"],
        source=basis["source"] or f"consent {basis['consent_reference']}",
        labels=tuple(f"{label['name']}: {label['meaning']}" for label in attribution["labels"]),
    )
