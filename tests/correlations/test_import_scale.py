"""A large export takes bounded time and memory."""

from __future__ import annotations

import json
import resource
import time

import pytest

from correlations.importing.gene_names import GENES
from correlations.importing.phase3 import phase3_import
from correlations.models import Correlation, QuarantinedRow
from tests.correlations.phase3_export import found_from_practice, practice, write_export

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PRACTICES = 1000
# Measured on 2 busy cores: 100 000 rows of which half are new, 114 s, most of it the history trigger of the table (0.8 ms
# for a new correlation); 1 000 000 rows of which 5 000 are new and 250 000 quarantined, 274 s and 40 MiB more at the peak.
SECONDS_A_ROW = 4e-3
MEBIBYTES = 1000


def write_large(folder, rows: int, distinct: int):
    """``rows`` rows: a quarter names no gene, the others go round ``distinct`` correlations."""
    write_export(folder, practices=[practice(number) for number in range(PRACTICES)])
    symbols = [gene.symbol for gene in GENES]
    with (folder / "training_correlations.json").open("w", encoding="utf-8") as file:
        file.write('{"correlations": [')
        place = 0
        for number in range(rows):
            fields = {"tk_practice_id": f"TK_{place % PRACTICES:04d}", "dosage": "low"}
            if number % 4 == 3:
                fields["genomic_target"] = f"no gene {number}"
            else:
                fields["genomic_target"] = symbols[place // PRACTICES]
                place = (place + 1) % distinct
            file.write(("," if number else "") + json.dumps(found_from_practice(number, **fields)))
        file.write("]}")
    return folder


@pytest.mark.parametrize(("rows", "distinct"), [(100_000, 50_000), (1_000_000, 5_000)])
def test_time_and_memory_are_bounded(tmp_path, rows, distinct):
    folder = write_large(tmp_path, rows, distinct)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    counts = phase3_import(folder=folder)["files"]["training_correlations.json"]
    elapsed = time.monotonic() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert counts["balanced"]
    assert counts["rows"] == rows
    assert Correlation.objects.count() == counts["accepted"] == distinct
    assert QuarantinedRow.objects.count() == counts["quarantined"] == rows // 4
    assert elapsed < rows * SECONDS_A_ROW, f"{rows} rows took {elapsed:.1f} s"
    assert grown < MEBIBYTES, f"{grown:.0f} MiB more at the peak"
