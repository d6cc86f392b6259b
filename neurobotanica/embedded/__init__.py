"""PostgreSQL and Valkey of the project's own, for a machine that has neither.

Used when DATABASE_URL or REDIS_URL is not set. Imports no Django, so that it works before settings are read.
"""

from neurobotanica.embedded.errors import EmbeddedServiceError
from neurobotanica.embedded.services import (
    DatabaseUrls,
    ServiceStatus,
    ServiceUrls,
    ensure_postgres,
    ensure_services,
    ensure_valkey,
    remove_services,
    services_status,
    stop_services,
)

__all__ = [
    "DatabaseUrls",
    "EmbeddedServiceError",
    "ServiceStatus",
    "ServiceUrls",
    "ensure_postgres",
    "ensure_services",
    "ensure_valkey",
    "remove_services",
    "services_status",
    "stop_services",
]
