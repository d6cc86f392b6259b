"""Why a governed field changes: stated once, kept in the field history and in the audit event of the change.

A service that changes governed fields is ``explained``: it takes ``reason``, or the reason of the request, task or command
around it, and refuses to work without one. Where the platform itself acts, a fixed sentence is the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import ParamSpec, TypeVar

from django.core.exceptions import ValidationError

from ethics.audit.context import audit_context, current_context

REASON_LENGTH = 300
NO_REASON = "Say why: the reason is kept with the change."

P = ParamSpec("P")
R = TypeVar("R")


def stated_reason(reason: str = "", *, missing: str = NO_REASON) -> str:
    """The reason given, else the one that stands in the audit context.

    Raises:
        ValidationError: at ``reason``: there is none, or it is longer than the log takes.
    """
    stated = reason.strip() or current_context().reason
    if not stated:
        raise ValidationError({"reason": missing})
    if len(stated) > REASON_LENGTH:
        raise ValidationError({"reason": f"At most {REASON_LENGTH} characters; these are {len(stated)}."})
    return stated


@contextmanager
def change_reason(reason: str) -> Iterator[None]:
    """Let every change inside of the block carry the reason, in the same request and by the same actor.

    Raises:
        ValidationError: the reason is empty or too long.
    """
    stated = stated_reason(reason)
    if stated == current_context().reason:
        yield
        return
    with audit_context(replace(current_context(), reason=stated)):
        yield


def explained(service: Callable[P, R]) -> Callable[P, R]:
    """Let a service that takes ``reason`` work under it; ``ValidationError`` at that field where nobody states one."""

    @wraps(service)
    def under_its_reason(*args: P.args, **kwargs: P.kwargs) -> R:
        with change_reason(str(kwargs.get("reason") or "")):
            return service(*args, **kwargs)

    return under_its_reason
