"""Who acts, on whose behalf, in which request: carried from the edge (request, task, command) to the event."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace

import pghistory
from django.db import connection
from pghistory import runtime


@dataclass(frozen=True)
class AuditContext:
    """The frozen names of an actor; they outlive the user's account."""

    actor_name: str = "system"
    actor_role: str = "system"
    client_id: str = ""
    request_id: str = ""
    reason: str = ""


_context: ContextVar[AuditContext | None] = ContextVar("audit_context", default=None)


def current_context() -> AuditContext:
    """The context of the running request, task or command; ``system`` where none was opened."""
    return _context.get() or AuditContext()


@contextmanager
def audit_context(context: AuditContext) -> Iterator[AuditContext]:
    """Open a context. Field history written inside it carries the same actor, request id and reason."""
    if not context.request_id:
        context = replace(context, request_id=uuid.uuid4().hex)
    metadata = {"actor": context.actor_name, "role": context.actor_role, "request_id": context.request_id}
    if context.reason:
        metadata["reason"] = context.reason
    token = _context.set(context)
    try:
        with _history_context(metadata):
            yield context
    finally:
        _context.reset(token)


@contextmanager
def _history_context(metadata: dict[str, str]) -> Iterator[None]:
    """A context of field history with an id of its own.

    pghistory lets an inner context change the one around it, by which an earlier change of the request would get the
    reason of a later one; the database keeps a context as it was written first. pghistory also speaks to the connection of
    its outermost context alone; Django gives each event loop another, whose changes would have no context at all.
    """
    with pghistory.context(), _connection_told():
        outer = runtime._tracker.value
        runtime._tracker.value = runtime.Context(id=uuid.uuid4(), metadata=metadata)
        try:
            yield
        finally:
            runtime._tracker.value = outer


def _connection_told() -> AbstractContextManager[object]:
    wrapper = runtime._inject_history_context
    return nullcontext() if wrapper in connection.execute_wrappers else connection.execute_wrapper(wrapper)


@contextmanager
def command_audit_context() -> Iterator[AuditContext]:
    """The context of a management command: the operating system's account name, in the role 'command'."""
    with audit_context(AuditContext(actor_name=getpass.getuser(), actor_role="command")) as context:
        yield context
