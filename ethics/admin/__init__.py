"""The admin of the ethics app: governed items, consents, communities, API clients, the audit log and the desk's records."""

from ethics.admin import (
    audit_log,
    audit_tree,
    clients,
    communities,
    consents,
    desk,
    items,
    status_lowering,
    stewards,
    withdrawals,
)

__all__ = [
    "audit_log",
    "audit_tree",
    "clients",
    "communities",
    "consents",
    "desk",
    "items",
    "status_lowering",
    "stewards",
    "withdrawals",
]
