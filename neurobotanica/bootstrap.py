"""Fills in the service addresses before Django reads its settings.

The environment decides (12-factor). Where it names no database or no broker, and this is not production, the embedded
PostgreSQL and Valkey of ``NEUROBOTANICA_HOME`` are found or started.

A web process says so before its settings are read: it waits for the database for so long and no longer.

The database has two roles: ``DATABASE_URL`` names the application's, ``DATABASE_OWNER_URL`` the owner's. A process acts as
the owner only when its command changes the shape of the database.
"""

from __future__ import annotations

import os
from pathlib import Path

OWNER_COMMANDS = frozenset(
    {"migrate", "pgtrigger", "database_roles", "archive_audit", "bench_audit_verification", "bench_desk"}
)
PROJECT_ROOT = Path(__file__).resolve().parent.parent


def home_folder() -> Path:
    """The folder of all local state: ``NEUROBOTANICA_HOME``, by default ``.local`` in the project."""
    return Path(os.environ.get("NEUROBOTANICA_HOME") or PROJECT_ROOT / ".local").resolve()


def is_production() -> bool:
    """Whether the settings must be complete and strict."""
    return os.environ.get("NEUROBOTANICA_ENV", "development") == "production"


class _Process:
    """What this process does with the database; no child inherits it."""

    acts_as_owner = False
    answers_requests = False


def act_as_owner() -> None:
    """Make the settings of this process, which are not read yet, take ``DATABASE_OWNER_URL``."""
    _Process.acts_as_owner = True


def acts_as_owner() -> bool:
    """Whether this process changes the shape of the database."""
    return _Process.acts_as_owner


def answer_requests() -> None:
    """Make the settings of this process, which are not read yet, those of a web process: none of its requests hangs."""
    _Process.answers_requests = True


def answers_requests() -> bool:
    """Whether this process answers web requests."""
    return _Process.answers_requests


def prepare_environment() -> None:
    """Set the addresses of the embedded services where the environment names none.

    Raises:
        neurobotanica.embedded.EmbeddedServiceError: a service could not be started; the message says what to do.
    """
    if is_production() or (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        return
    from neurobotanica.embedded import ensure_services

    urls = ensure_services(home_folder())
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = urls.database_url
        os.environ.setdefault("DATABASE_OWNER_URL", urls.database_owner_url)
    os.environ.setdefault("REDIS_URL", urls.redis_url)
