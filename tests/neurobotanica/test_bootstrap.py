"""Where the services are found: the environment decides, then the embedded ones of the home."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neurobotanica import bootstrap

SERVICES = ("DATABASE_URL", "REDIS_URL")


@pytest.fixture
def without_services(monkeypatch):
    for name in (*SERVICES, "NEUROBOTANICA_ENV"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_home_is_the_environments_or_lies_in_the_project(monkeypatch, tmp_path):
    monkeypatch.setenv("NEUROBOTANICA_HOME", str(tmp_path))
    chosen = bootstrap.home_folder()
    monkeypatch.delenv("NEUROBOTANICA_HOME")

    assert chosen == tmp_path
    assert bootstrap.home_folder() == bootstrap.PROJECT_ROOT / ".local"


def test_named_services_are_used_as_they_are(monkeypatch, tmp_path):
    monkeypatch.setenv("NEUROBOTANICA_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/neurobotanica")
    monkeypatch.setenv("REDIS_URL", "redis://cache/0")

    bootstrap.prepare_environment()

    assert os.environ["DATABASE_URL"] == "postgresql://app@db/neurobotanica"
    assert list(tmp_path.iterdir()) == [], "nothing was started"


def test_production_never_starts_services(without_services, tmp_path):
    without_services.setenv("NEUROBOTANICA_HOME", str(tmp_path))
    without_services.setenv("NEUROBOTANICA_ENV", "production")

    bootstrap.prepare_environment()

    assert not [name for name in SERVICES if name in os.environ]
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_services_of_the_home_fill_in_what_is_missing(monkeypatch):
    """The home of the tests runs already: the same services are found again, not started anew."""
    found = {name: os.environ[name] for name in SERVICES}
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/chosen")

    bootstrap.prepare_environment()

    assert os.environ["REDIS_URL"] == found["REDIS_URL"]
    assert os.environ["DATABASE_URL"] == "postgresql://app@db/chosen"
    assert "DATABASE_OWNER_URL" not in os.environ, "the owner of another database"
    assert Path(os.environ["NEUROBOTANICA_HOME"]).name == "test"
