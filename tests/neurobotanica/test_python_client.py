"""The committed Python client is what the generator makes of the present OpenAPI document."""

from __future__ import annotations

import importlib.util
import json
import sys
from types import ModuleType

import pytest

from tests.service_home import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "clients" / "python"


@pytest.fixture
def document(client):
    return json.loads(client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).content)


def _load(name: str, file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_client_is_up_to_date(document):
    committed = (FOLDER / "neurobotanica_client" / "api.py").read_text(encoding="utf-8")
    assert _load("generate", "generate.py").render(document) == committed, "run `make client`"


def test_the_client_has_a_method_for_every_operation(document, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    from neurobotanica_client import Client  # type: ignore[import-not-found]

    operations = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert {name for name in operations if callable(getattr(Client, name, None))} == operations
