"""Who acts, on whose behalf, in which request: carried from the edge (request, task, command) to the event."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import pghistory


@dataclass(frozen=True)
class AuditContext:
    """The frozen names of an actor; they outlive the user's account."""

    actor_name: str = "system"
    actor_role: str = "system"
    client_id: str = ""
    request_id: str = ""


_context: ContextVar[AuditContext | None] = ContextVar("audit_context", default=None)


def current_context() -> AuditContext:
    """The context of the running request, task or command; ``system`` where none was opened."""
    return _context.get() or AuditContext()


@contextmanager
def audit_context(context: AuditContext) -> Iterator[AuditContext]:
    """Open a context. Field history written inside it carries the same actor and request id."""
    if not context.request_id:
        context = AuditContext(context.actor_name, context.actor_role, context.client_id, uuid.uuid4().hex)
    token = _context.set(context)
    try:
        with pghistory.context(actor=context.actor_name, role=context.actor_role, request_id=context.request_id):
            yield context
    finally:
        _context.reset(token)


@contextmanager
def command_audit_context() -> Iterator[AuditContext]:
    """The context of a management command: the operating system's account name, in the role 'command'."""
    with audit_context(AuditContext(actor_name=getpass.getuser(), actor_role="command")) as context:
        yield context
