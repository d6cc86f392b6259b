"""The ablation leaves a file that a report reads back."""

from __future__ import annotations

import json

from genomepath.ml import ablation
from genomepath.ml.results import EvaluationResult


def test_the_file_holds_the_whole_result(trained_model, judged, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ablation, "build_text_features", lambda *args: None)
    monkeypatch.setattr(ablation, "MiniLMEncoder", lambda: None)
    monkeypatch.setattr(ablation, "evaluate", lambda *args, **options: judged)
    snapshot = trained_model.root / trained_model.version["snapshot_folder"]

    ablation.main([str(snapshot), "--json", str(tmp_path / "ablation.json")])

    written = json.loads((tmp_path / "ablation.json").read_text(encoding="utf-8"))
    assert (EvaluationResult.from_dict(written), written["preset"]) == (judged, "small")
    assert "| model | " in capsys.readouterr().out
