"""The audit log: typed events, their context, and the one function that writes them."""

from ethics.audit.context import AuditContext, audit_context, command_audit_context, current_context
from ethics.audit.recording import AuditEventError, record
from ethics.audit.registry import EventType, register_event_type, registered_event_types

__all__ = [
    "AuditContext",
    "AuditEventError",
    "EventType",
    "audit_context",
    "command_audit_context",
    "current_context",
    "record",
    "register_event_type",
    "registered_event_types",
]
