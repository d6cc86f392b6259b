"""The admin of the ethics app: governed items, consents, communities, API clients and the audit log."""

from ethics.admin import audit_log, audit_tree, clients, communities, consents, items, status_lowering, withdrawals

__all__ = ["audit_log", "audit_tree", "clients", "communities", "consents", "items", "status_lowering", "withdrawals"]
