"""The benchmark of the audit log measures what it says, in a database of its own."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.slow
def test_the_benchmark_measures_log_and_chain_with_durable_commits(tmp_path, settings, capsys) -> None:
    settings.NEUROBOTANICA_HOME = tmp_path
    target = tmp_path / "bench.json"
    call_command("bench_audit", "--json", str(target), "--writers", "2", "--seconds", "1", "--rounds", "1")
    report = json.loads(target.read_text())
    assert (report["machine"]["fsync"], report["machine"]["synchronous_commit"]) == ("on", "on")
    [log], [chain] = report["rounds"]["log"], report["rounds"]["chain"]
    assert log["events"] > 0
    assert chain["events"] > 0
    assert log["seconds_until_all_sealed"] is not None
    assert not (tmp_path / "bench-audit").exists()
    assert "hash chain under one lock" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong", [["--writers", "0"], ["--writers", "65"], ["--seconds", "0"], ["--rounds", "0"], ["--rounds", "21"]]
)
def test_a_load_that_makes_no_sense_is_refused(wrong: list[str]) -> None:
    with pytest.raises(CommandError, match="--writers is from 1 to 64"):
        call_command("bench_audit", *wrong)


@pytest.mark.parametrize("command", ["audit", "audit_verification", "desk", "hidden_timing", "serving"])
def test_a_report_that_could_not_be_written_is_refused_before_anything_is_measured(tmp_path, command) -> None:
    with pytest.raises(CommandError, match="there is no folder"):
        call_command(f"bench_{command}", "--json", str(tmp_path / "missing" / "bench.json"))
    with pytest.raises(CommandError, match="it is a folder"):
        call_command(f"bench_{command}", "--json", str(tmp_path))
