"""Every error of the API is an ``application/problem+json`` document (RFC 9457).

No problem repeats what was asked for: a withheld record and an absent one get the same bytes.
"""

from __future__ import annotations

import logging
import sys
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.views import set_rollback

logger = logging.getLogger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"
API_PREFIX = "/api/"
NOT_FOUND = "There is nothing under this address, or it may not be used."
RETRY_SECONDS = 5


def problem_response(
    status: int, detail: str, *, errors: list[dict[str, str]] | None = None, headers: dict[str, str] | None = None
) -> HttpResponse:
    """A problem document. ``type`` is ``about:blank``: the status says what kind of problem it is."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        content["errors"] = errors
    response = HttpResponse(orjson.dumps(content), status=status, content_type=PROBLEM_MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    # Django would log the address, and with it the name of a withheld record.
    response._has_been_logged = True  # type: ignore[attr-defined]
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def problem_exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler. None for what nobody expected: Django logs it and answers 500 (``server_error``)."""
    if isinstance(error, OperationalError | InterfaceError):
        return _database_away(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    return problem_response(
        error.status_code, _detail(error), errors=_errors(error), headers=_headers(error, context.get("view"))
    )


def _database_away(error: BaseException) -> HttpResponse:
    logger.error("the database did not answer: %s", type(error).__name__, exc_info=error)
    return problem_response(
        503, "The database is not available. Try again.", headers={"Retry-After": str(RETRY_SECONDS)}
    )


def _detail(error: exceptions.APIException) -> str:
    if isinstance(error, exceptions.NotFound):
        return NOT_FOUND
    if isinstance(error, exceptions.ValidationError):
        return "The request has parameters that are not accepted."
    if isinstance(error, exceptions.Throttled):
        return "The limit is reached. Retry-After says in how many seconds to ask again."
    return str(error.detail)


def _errors(error: exceptions.APIException) -> list[dict[str, str]] | None:
    if not isinstance(error, exceptions.ValidationError):
        return None
    if not isinstance(error.detail, dict):
        return [{"parameter": "", "detail": str(entry)} for entry in error.detail]
    return [
        {"parameter": str(name), "detail": str(message)}
        for name, messages in error.detail.items()
        for message in (messages if isinstance(messages, list) else [messages])
    ]


def _headers(error: exceptions.APIException, view: Any) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]  # set by APIView
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    if isinstance(error, exceptions.MethodNotAllowed) and view is not None:
        headers["Allow"] = ", ".join(view.allowed_methods)
    if isinstance(error, exceptions.UnsupportedMediaType):
        headers["Accept-Post"] = "application/json"
    return headers


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400 handler."""
    if _is_api(request):
        return problem_response(400, "The request could not be understood.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403 handler."""
    if _is_api(request):
        return problem_response(403, "This is not allowed.")
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 404 handler."""
    if _is_api(request):
        return problem_response(404, NOT_FOUND)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500 handler; 503 where it was the database that did not answer, or not in time."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return _database_away(error) if _is_api(request) else _unavailable(defaults.server_error(request))
    if _is_api(request):
        route = request.resolver_match.route if request.resolver_match else "no route"
        logger.error("unexpected error in %s %s", request.method, route, exc_info=sys.exc_info())
        return problem_response(500, "Something went wrong on our side; it has been logged.")
    return defaults.server_error(request)


def _unavailable(page: HttpResponse) -> HttpResponse:
    page.status_code = 503
    page["Retry-After"] = str(RETRY_SECONDS)
    return page
