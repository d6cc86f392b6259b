"""Fills in the service addresses before Django reads its settings.

The environment decides (12-factor). Where it names no database or no broker, and this is not production, the embedded
PostgreSQL and Valkey of ``NEUROBOTANICA_HOME`` are found or started.
"""

from __future__ import annotations

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def home_folder() -> Path:
    """The folder of all local state: ``NEUROBOTANICA_HOME``, by default ``.local`` in the project."""
    return Path(os.environ.get("NEUROBOTANICA_HOME") or PROJECT_ROOT / ".local").resolve()


def is_production() -> bool:
    """Whether the settings must be complete and strict."""
    return os.environ.get("NEUROBOTANICA_ENV", "development") == "production"


def prepare_environment() -> None:
    """Set ``DATABASE_URL`` and ``REDIS_URL`` from the embedded services where they are missing.

    Raises:
        neurobotanica.embedded.EmbeddedServiceError: a service could not be started; the message says what to do.
    """
    if is_production() or (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        return
    from neurobotanica.embedded import ensure_services

    urls = ensure_services(home_folder())
    os.environ.setdefault("DATABASE_URL", urls.database_url)
    os.environ.setdefault("REDIS_URL", urls.redis_url)
