"""Gives a web request its id and opens its audit context."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from ethics.admin.visibility import role_names
from ethics.audit.context import AuditContext, audit_context

REQUEST_ID_HEADER = "X-Request-ID"
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class RequestIdMiddleware:
    """Takes a well-formed ``X-Request-ID`` or makes one, and returns it in the answer.

    It stands outside all others: an answer that one of them gives, such as the refusal of a host, carries the id as well.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        request.audit_request_id = request_id  # type: ignore[attr-defined]  # read by the middleware below
        response = self.get_response(request)
        response[REQUEST_ID_HEADER] = request_id
        return response


class AuditContextMiddleware:
    """Opens the audit context of the person behind the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id: str = request.audit_request_id  # type: ignore[attr-defined]  # set by the middleware above
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            context = AuditContext(user.get_username(), role_of(user), request_id=request_id)
        else:
            context = AuditContext("anonymous", "anonymous", request_id=request_id)
        with audit_context(context):
            return self.get_response(request)


def role_of(user: User) -> str:
    """The names of the user's groups, joined; superusers are named as such."""
    names = sorted(role_names(user))
    if user.is_superuser:
        names.insert(0, "superuser")
    return "+".join(names)[:60] or "no role"
