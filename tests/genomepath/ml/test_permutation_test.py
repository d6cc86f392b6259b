"""The permutation test says which numbers lie where a random order puts them, and leaves a file that a report reads."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from genomepath.ml import permutation_test as command
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.identity_permutation import Among
from genomepath.ml.permutation_test import PermutationResult, PermutationRow, permutation_test, table
from genomepath.ml.scores import Scores
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=20, targets=16)
FEATURES = synthetic_features(SNAPSHOT)


def by_chance(snapshot, features, training, /):
    rng = np.random.default_rng(int(np.argwhere(training.pairs).sum()))
    return Scores(rng.random(training.confidence.shape), rng.random(training.pairs.T.shape))


def knows_negatives(snapshot, features, training, /):
    """By chance, but for one thing that every model learns: the unlinked cells of seen records are unlinked."""
    seen = training.seen_practices[:, None] & training.seen_targets
    noise = np.random.default_rng(int(np.argwhere(training.pairs).sum())).random(training.pairs.shape)
    return Scores.from_pairs(noise - 2.0 * (seen & ~training.pairs))


def knows_links(snapshot, features, training, /):
    noise = np.random.default_rng(int(training.pairs.sum())).random(TruthMatrix.from_snapshot(SNAPSHOT).pairs.shape)
    given = TruthMatrix.from_snapshot(SNAPSHOT).pairs & (noise < 2 / 3)
    return Scores.from_pairs(noise + given)


@pytest.mark.parametrize("protocol", ["P1", "P2", "P3"])
def test_a_scorer_by_chance_lies_within_in_every_row(protocol):
    rows = permutation_test(SNAPSHOT, FEATURES, by_chance, protocols=[protocol], seeds=[0, 1])

    assert [row for row in rows if not row.within] == []
    assert {(row.direction, row.metric) for row in rows if row.among == Among.UNSEEN.value} == {
        (way, metric) for way in ("tk_to_genomic", "genomic_to_tk") for metric in ("accuracy", "mrr")
    }


def test_a_scorer_that_was_given_links_lies_outside():
    rows = permutation_test(SNAPSHOT, FEATURES, knows_links, protocols=["P1"])

    assert not any(row.within for row in rows)


def test_unseen_answers_have_rows_among_themselves_and_among_the_whole_catalogue():
    rows = permutation_test(SNAPSHOT, FEATURES, by_chance, protocols=["P1", "P2", "P3"])

    assert {(row.protocol, row.direction) for row in rows if row.among == Among.CATALOGUE.value} == {
        ("P2", "genomic_to_tk"),
        ("P3", "tk_to_genomic"),
    }


def test_who_knows_the_negatives_of_seen_records_is_outside_among_the_catalogue_alone():
    rows = permutation_test(SNAPSHOT, FEATURES, knows_negatives, protocols=["P2"], seeds=[0, 1])

    assert {row.among for row in rows if not row.within} == {Among.CATALOGUE.value}


def test_the_table_names_the_candidates_and_the_verdict():
    row = PermutationRow("P3", "tk_to_genomic", "accuracy", Among.UNSEEN.value, 0.9, 0.5, 0.1)
    whole = PermutationRow("P3", "tk_to_genomic", "mrr", Among.CATALOGUE.value, 0.5, 0.5, 0.1)

    assert table([row, whole]).splitlines()[2:] == [
        "| P3 TK→G accuracy@5 | the unseen records | 90.0 | 50.0 [30.4, 69.6] | OUTSIDE |",
        "| P3 TK→G MRR | the whole catalogue | 50.0 | 50.0 [30.4, 69.6] | within |",
    ]


@pytest.fixture
def quick(monkeypatch) -> None:
    """The command on the synthetic data, with a scorer that needs no training."""
    monkeypatch.setattr(command, "build_text_features", lambda *args: FEATURES)
    monkeypatch.setattr(command, "MiniLMEncoder", lambda: None)
    monkeypatch.setattr(command, "snapshot_to_judge", lambda options: SNAPSHOT)
    monkeypatch.setattr(command, "model_scorer", lambda config: by_chance)


def test_a_result_that_could_not_be_written_stands_printed(quick, tmp_path, monkeypatch, capsys):
    def full(path: Path, payload: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("genomepath.ml.command_line.write_json", full)

    with pytest.raises(SystemExit):
        command.main(["folder", "--protocols", "P1", "--json", str(tmp_path / "result.json")])

    printed = capsys.readouterr()
    assert "| P1 TK→G accuracy@5 | the whole catalogue |" in printed.out
    assert printed.err.endswith("result.json could not be written: No space left on device\n")


def test_the_command_leaves_its_result_in_a_file(quick, tmp_path, capsys):
    command.main(["folder", "--protocols", "P1", "--seeds", "0", "1", "--json", str(tmp_path / "result.json")])

    result = PermutationResult.from_dict(json.loads((tmp_path / "result.json").read_text(encoding="utf-8")))
    assert (result.data_sha256, result.preset, result.seeds) == (SNAPSHOT.data_sha256, "small", (0, 1))
    assert result.rows == permutation_test(SNAPSHOT, FEATURES, by_chance, protocols=["P1"], seeds=[0, 1])
    assert "| P1 TK→G accuracy@5 | the whole catalogue |" in capsys.readouterr().out
