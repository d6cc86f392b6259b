"""Reads the bundled data, every row checked, every reference between rows resolved. No Django, no database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from correlations.bundled.files import FILES
from correlations.bundled.rows import DOSES, BundledData, DosageProfileRow, PracticeRow
from correlations.bundled.schema import FieldProblem, Reader
from correlations.vocabulary import DoseBasis

DATA_FOLDER = Path(__file__).parent / "data"

NO_DOSE = "no source resolves dose"


class BundledDataError(ValueError):
    """A file, row or field of the bundled data that breaks its rule. The message names all three."""

    def __init__(self, file: str, row: str, field: str, problem: str) -> None:
        self.file, self.row, self.field, self.problem = file, row, field, problem
        super().__init__(": ".join(part for part in (file, row, field, problem) if part))


def read_bundled(folder: Path = DATA_FOLDER) -> BundledData:
    """The checked bundled data.

    Raises BundledDataError for a file that is missing or no JSON list, for a field that breaks its rule, for two rows
    of one name, and for a row that names another row which does not exist.
    """
    tables: dict[str, tuple[Any, ...]] = {}
    for file, name, reader, key in FILES:
        tables[name] = _read_file(folder / file, reader, key)
    profiles = tuple(profile for practice in tables["practices"] for profile in modelled_profiles(practice))
    data = BundledData(**tables, dosage_profiles=profiles)
    for error in _broken_references(data):
        raise error
    return data


def modelled_profiles(practice: PracticeRow) -> tuple[DosageProfileRow, ...]:
    """The low, medium and high profile of a practice for which no source states amounts: without any number."""
    return tuple(
        DosageProfileRow(
            practice=practice.slug,
            dose=dose,
            range_text="",
            basis=DoseBasis.MODELLED.value,
            note=NO_DOSE,
            source="modelled by the project",
        )
        for dose in DOSES
    )


def _read_file(path: Path, reader: Reader, key: tuple[str, ...]) -> tuple[Any, ...]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundledDataError(path.name, "", "", f"can't be read ({error.strerror})") from error
    except ValueError as error:
        raise BundledDataError(path.name, "", "", f"is no JSON text ({error})") from error
    if not isinstance(raw, list):
        raise BundledDataError(path.name, "", "", "must hold a list of rows")
    rows = []
    seen: set[tuple[str, ...]] = set()
    for number, value in enumerate(raw, start=1):
        where = _row_name(number, value, key)
        try:
            row = reader(value)
        except FieldProblem as problem:
            raise BundledDataError(path.name, where, problem.field, problem.problem) from problem
        name = tuple(getattr(row, part) for part in key)
        if name in seen:
            raise BundledDataError(path.name, where, key[0], "another row has the same name")
        seen.add(name)
        rows.append(row)
    return tuple(rows)


def _row_name(number: int, value: object, key: tuple[str, ...]) -> str:
    parts = [str(value[part]) for part in key if part in value] if isinstance(value, dict) else []
    return f"row {number} ({', '.join(parts)})" if parts else f"row {number}"


def _broken_references(data: BundledData) -> Iterator[BundledDataError]:
    yield from _broken_practices(data)
    yield from _broken_targets(data)
    yield from _broken_evidence(data)
    yield from _broken_links(data)


def _broken_practices(data: BundledData) -> Iterator[BundledDataError]:
    communities = {row.slug for row in data.communities}
    labels = {row.code for row in data.labels}
    conditions = {row.id: row.name for row in data.conditions}
    for row in data.practices:
        if row.community not in communities:
            yield BundledDataError("practices.json", row.slug, "community", f"no community {row.community!r}")
        for label in row.labels:
            if label not in labels:
                yield BundledDataError("practices.json", row.slug, "labels", f"no label {label!r}")
        for term in row.indications:
            if conditions.get(term.id) != term.name:
                yield BundledDataError("practices.json", row.slug, "indications", f"no condition {term.id} {term.name}")
    for placeholder in data.sacred_placeholders:
        if placeholder.community not in communities:
            yield BundledDataError(
                "sacred_placeholders.json", placeholder.id, "community", f"no community {placeholder.community!r}"
            )


def _broken_targets(data: BundledData) -> Iterator[BundledDataError]:
    conditions = {row.id for row in data.conditions}
    evidence = {row.id: row for row in data.evidence}
    for target in data.targets:
        for association in target.disease_associations:
            where = ("targets.json", target.symbol, "disease_associations")
            if association.id not in conditions:
                yield BundledDataError(*where, f"no condition {association.id}")
            for name in association.evidence:
                row = evidence.get(name)
                if row is None or row.target != target.symbol or association.id not in {c.id for c in row.conditions}:
                    yield BundledDataError(*where, f"{name} is no evidence on {target.symbol} and {association.id}")


def _broken_evidence(data: BundledData) -> Iterator[BundledDataError]:
    symbols = {row.symbol for row in data.targets}
    conditions = {row.id for row in data.conditions}
    for row in data.evidence:
        if row.target not in symbols:
            yield BundledDataError("evidence.json", row.id, "target", f"no target {row.target!r}")
        for term in row.conditions:
            if term.id not in conditions:
                yield BundledDataError("evidence.json", row.id, "conditions", f"no condition {term.id}")
    for pair in data.synergy_pairs:
        where = ("synergy_pairs.json", f"{pair.target_a}, {pair.target_b}")
        if pair.target_a >= pair.target_b:
            yield BundledDataError(*where, "target_a", "must come before target_b")
        for field, symbol in (("target_a", pair.target_a), ("target_b", pair.target_b)):
            if symbol not in symbols:
                yield BundledDataError(*where, field, f"no target {symbol!r}")


def _broken_links(data: BundledData) -> Iterator[BundledDataError]:
    conditions = {row.id for row in data.conditions}
    for link in data.condition_links:
        where = ("condition_links.json", f"{link.narrower}, {link.broader}")
        if link.narrower == link.broader:
            yield BundledDataError(*where, "broader", "a condition can't be broader than itself")
        for field, name in (("narrower", link.narrower), ("broader", link.broader)):
            if name not in conditions:
                yield BundledDataError(*where, field, f"no condition {name}")
