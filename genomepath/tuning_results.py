"""What a study found: as JSON, as a report, and in a few lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from genomepath.models import TuningStudy
from genomepath.models.tuning import PointState
from genomepath.reporting.html_page import render_html
from genomepath.reporting.markdown import render_markdown
from genomepath.reporting.tuning_report import TuningMaterial, tuning_report

REPORT, PAGE = "TUNING_REPORT.md", "TUNING_REPORT.html"


def tuning_material(study: TuningStudy) -> TuningMaterial:
    """The study with the points that were trained."""
    done = study.points.filter(state=PointState.DONE.value).order_by("number")
    return TuningMaterial(
        preset=study.preset,
        seed=study.seed,
        epochs=study.epochs,
        data_sha256=study.data_sha256,
        code_version=study.code_version,
        points=[{"number": point.number, **point.hyperparameters, **point.result} for point in done],
        failed=study.points.filter(state=PointState.FAILED.value).count(),
    )


def tuning_json_write(study: TuningStudy, file: Path) -> None:
    """Write the study and every point, from the best down.

    Raises:
        OSError: the file cannot be written.
    """
    material = tuning_material(study)
    payload: dict[str, Any] = {
        "study": str(study.public_id),
        **{
            name: getattr(material, name)
            for name in ("preset", "seed", "epochs", "data_sha256", "code_version", "failed")
        },
        "seconds": round(sum(point["seconds"] for point in material.points), 1),
        "peak_mib": max((point["peak_mib"] for point in material.points), default=0.0),
        "points": material.ordered,
    }
    file.write_text(json.dumps(payload, indent=2) + "\n", encoding="utf-8")


def tuning_report_write(study: TuningStudy, folder: Path) -> list[Path]:
    """Write the report as Markdown and as one HTML page.

    Raises:
        OSError: the folder cannot be written.
    """
    document = tuning_report(tuning_material(study))
    contents = {REPORT: render_markdown(document), PAGE: render_html(document)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        partial = folder / f".{name}.partial"
        partial.write_text(content, encoding="utf-8")
        partial.replace(folder / name)
    return [folder / name for name in contents]


def tuning_summary(study: TuningStudy, shown: int = 5) -> str:
    """The best points and what they took, in lines for a terminal."""
    material = tuning_material(study)
    lines = [f"{study}: {len(material.points)} points trained, {material.failed} failed."]
    if not material.points:
        return lines[0]
    for point in material.ordered[:shown]:
        values = ", ".join(f"{name} {point[name]:g}" for name in ("learning_rate", "batch_rows", "dropout", "bridge"))
        lines.append(f"  MRR {100 * point['mrr']:.1f}: {values} (epoch {point['best_epoch']} of {point['epochs']})")
    seconds = sum(point["seconds"] for point in material.points)
    peak = max(point["peak_mib"] for point in material.points)
    lines.append(f"{seconds:.0f} seconds of one process in all; peak memory of a process {peak:.0f} MiB.")
    return "\n".join(lines)
