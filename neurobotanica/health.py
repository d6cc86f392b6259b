"""Is the process alive, and can it do its work? The answers name no address and no error text."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import BadMigrationError, InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from genomepath.redis_bytes import RedisUnavailable, ping
from neurobotanica.database_roles import may_change_the_log

logger = logging.getLogger(__name__)


class MigrationsPending(Exception):
    """The database is older than the code."""


class LogUnguarded(Exception):
    """The site runs as a role that could change the log."""


ROLE_ADVICE = (
    "The site runs as a database role that could change the audit log (a superuser, the owner, or one with too many "
    "rights). Let DATABASE_URL name the application's role, and give the owner's to migrate alone, as DATABASE_OWNER_URL."
)


@never_cache
@require_safe
def liveness(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers. Touches no other service."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readiness(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations and broker are ready, else 503; each check says ok or failed."""
    checks: dict[str, Callable[[], None]] = {
        "database": _check_database,
        "migrations": _check_migrations,
        "broker": ping,
    }
    if settings.PRODUCTION:
        checks["database_role"] = _check_role
    results = {name: _passes(name, check) for name, check in checks.items()}
    ready = all(results.values())
    answer: dict[str, object] = {
        "status": "ok" if ready else "unavailable",
        "checks": {name: "ok" if passed else "failed" for name, passed in results.items()},
    }
    if not results.get("database_role", True):
        answer["advice"] = ROLE_ADVICE
    return JsonResponse(answer, status=200 if ready else 503)


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except (
        DatabaseError,
        RedisUnavailable,
        MigrationsPending,
        BadMigrationError,
        InconsistentMigrationHistory,
        LogUnguarded,
    ) as error:
        logger.warning("readiness check %s failed: %s", name, type(error).__name__)
        return False
    return True


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_role() -> None:
    if may_change_the_log(connection):
        logger.error(ROLE_ADVICE)
        raise LogUnguarded


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MigrationsPending
