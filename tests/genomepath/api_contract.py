"""Runs Schemathesis over the OpenAPI document: every phase and every check, against a server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from rest_framework.pagination import Cursor
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema

from genomepath.api.cursors import cursor_seal
from tests.genomepath.conftest import EvaluatedVersion

SEED = 20261124
# Granian itself refuses control characters in a header, with a bare 400, before the application sees anything.
_CONTROLS = "".join(chr(code) for code in (*range(32), 127))
_LISTS = ("practices", "targets", "correlations", "evidence", "synergies", "dosage-profiles")
_OPERATIONS = [
    {"include-path": f"/api/v1/{name}/", "parameters": {"query.cursor": {"dictionary": name, "probability": 1.0}}}
    for name in _LISTS
]


@dataclass
class ContractRun:
    """How many requests were sent by phase, which statuses came back, and what is wrong with which of them."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def run_contract(url: str, served: EvaluatedVersion, key: str, *, examples: int, sequences: int) -> ContractRun:
    """Ask every endpoint with good and bad questions, alone and in sequences; always the same for the same numbers."""
    config = SchemathesisConfig.from_dict(_settings(served, key, examples=examples, sequences=sequences))
    schema = schemathesis.openapi.from_url(f"{url}/api/schema/", config=config)
    found = ContractRun()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note_scenario(event, found)
        elif isinstance(event, events.NonFatalError):
            found.faults.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


def _note_scenario(event: events.ScenarioFinished, found: ContractRun) -> None:
    recorder = event.recorder
    found.cases[event.phase.value] += len(recorder.interactions)
    for interaction in recorder.interactions.values():
        if interaction.response is not None:
            found.statuses[interaction.response.status_code] += 1
    for case_id, checks in recorder.checks.items():
        response = recorder.interactions[case_id].response
        for check in checks:
            if check.failure_info is None or (response and _no_schema_could_tell(check.name, response)):
                continue
            failure = check.failure_info.failure
            found.faults.append(f"{recorder.label}: {check.name}: {failure}\n{check.failure_info.code_sample}")


def _no_schema_could_tell(check: str, response: Response) -> bool:
    """A cursor that no page gave, two good days too far apart, an idempotency key used before, a batch failing in part."""
    if check == "positive_data_acceptance":
        refused = [error["parameter"] for error in response.json().get("errors", ())]
        return response.status_code == 422 or refused in (["cursor"], ["from"])
    if check == "negative_data_rejection":
        return any(result["status"] == 400 for result in response.json().get("results", ()) if "status" in result)
    return False


def _settings(served: EvaluatedVersion, key: str, *, examples: int, sequences: int) -> dict[str, Any]:
    catalogue = served.catalogue
    slugs = [practice.slug for practice in catalogue.practices[:4]]
    communities = [practice.item.community.slug for practice in catalogue.practices[:2]]
    known = {
        "slugs": {"values": [*slugs, *communities]},
        "symbols": {"values": [target.symbol for target in catalogue.targets[:4]]},
        **{name: {"values": [cursor_seal(Cursor(0, False, 1), f"/api/v1/{name}/")]} for name in _LISTS},
    }
    return {
        "seed": SEED,
        "workers": 1,
        "output": {"sanitization": {"enabled": False}, "truncation": {"enabled": False}},
        "continue-on-failure": True,
        "auth": {"openapi": {"ApiKey": {"api_key": f"Api-Key {key}"}}},
        "dictionaries": known,
        "parameters": {
            "path.slug": {"dictionary": "slugs", "probability": 0.7},
            "path.symbol": {"dictionary": "symbols", "probability": 0.7},
        },
        "generation": {
            "mode": "all",
            "max-examples": examples,
            "deterministic": True,
            "database": "none",
            "exclude-header-characters": _CONTROLS,
            "with-security-parameters": False,
        },
        "phases": {"stateful": {"max-steps": 6, "generation": {"max-examples": sequences}}},
        "operations": _OPERATIONS,
    }
