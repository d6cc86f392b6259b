"""Opens the audit context of a web request and gives the request its id."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from ethics.admin.visibility import role_names
from ethics.audit.context import AuditContext, audit_context

_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class AuditContextMiddleware:
    """Takes a well-formed ``X-Request-ID`` or makes one, and returns it in the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            context = AuditContext(user.get_username(), role_of(user), request_id=request_id)
        else:
            context = AuditContext("anonymous", "anonymous", request_id=request_id)
        with audit_context(context):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


def role_of(user: User) -> str:
    """The names of the user's groups, joined; superusers are named as such."""
    names = sorted(role_names(user))
    if user.is_superuser:
        names.insert(0, "superuser")
    return "+".join(names)[:60] or "no role"
