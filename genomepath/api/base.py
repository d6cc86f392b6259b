"""What every endpoint of the API shares."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import orjson
from django.http import HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date, parse_etags
from rest_framework.exceptions import APIException, AuthenticationFailed, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ethics import audit
from ethics.api.verified_keys import VerifiedKey
from ethics.policy import Audience
from ethics.revisions import Revisions
from ethics.scopes import Scope
from genomepath.community_credit import CommunityNotFound
from genomepath.serving import SubjectNotFound
from genomepath.text_engine import ModelFolderUnreadable
from genomepath.version_in_service import NoActiveModel

PRIVATE = "private, no-cache"


class NoModelInService(APIException):
    """503: nothing can be predicted until a model is promoted."""

    status_code = 503
    default_detail = "No model is in service yet. Predictions appear once a model has been trained and promoted."
    default_code = "no_model_in_service"
    wait = 60


class ModelFilesDamaged(APIException):
    """503: texts can't be scored until the files of the model are whole again."""

    status_code = 503
    default_detail = "The files of the model in service can't be read. Catalogued practices and targets are answered."
    default_code = "model_files_damaged"
    wait = 60


_PROBLEMS: Mapping[type[Exception], type[APIException]] = {
    NoActiveModel: NoModelInService,
    ModelFolderUnreadable: ModelFilesDamaged,
    SubjectNotFound: NotFound,
    CommunityNotFound: NotFound,
}
"""How a client is told what the services of ``genomepath`` raise."""


@dataclass(frozen=True)
class Deprecation:
    """An endpoint that will go: since when it is deprecated, when it ends, and where that is told (an address)."""

    since: datetime
    ends: datetime
    told_at: str

    @property
    def headers(self) -> dict[str, str]:
        """RFC 9745 and RFC 8594."""
        return {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": http_date(self.ends.timestamp()),
            "Link": f'<{self.told_at}>; rel="deprecation"',
        }


class ClientView(APIView):
    """A view for API clients: no shared cache may keep an answer, and the limits stand in the headers."""

    http_method_names = ["get", "head"]
    required_scope: ClassVar[Scope]
    deprecation: ClassVar[Deprecation | None] = None

    @property
    def key(self) -> VerifiedKey:
        """The key that the request carries; the permission class has made sure of it."""
        assert isinstance(self.request.auth, VerifiedKey)  # noqa: S101
        return self.request.auth

    @property
    def revisions(self) -> Revisions:
        """The revisions that the key was found good under."""
        revisions: Revisions = self.request.revisions  # type: ignore[attr-defined]  # set with the key
        return revisions

    @property
    def audience(self) -> Audience:
        """For whom the client asks."""
        return self.key.audience

    @property
    def audit_context(self) -> audit.AuditContext:
        """The client as the audit log names it."""
        return audit.AuditContext(
            actor_name=self.key.organisation[:150],
            actor_role="api client",
            client_id=self.key.client_id,
            request_id=audit.current_context().request_id,
        )

    def perform_authentication(self, request: Request) -> None:
        """Counts every caller before anything is answered, 401 and 403 included."""
        refused: AuthenticationFailed | None = None
        try:
            super().perform_authentication(request)
        except AuthenticationFailed as error:
            refused = error
        super().check_throttles(request)
        if refused is not None:
            raise refused

    def check_throttles(self, request: Request) -> None:
        """Done with the authentication."""

    def handle_exception(self, exc: Exception) -> Response:
        """The problem document of whatever was raised."""
        problem = _PROBLEMS.get(type(exc))
        return super().handle_exception(exc if problem is None else problem())

    def charge(self, items: int) -> None:
        """Count further items of a request against the minute and the day of its key.

        Raises:
            rest_framework.exceptions.Throttled: they do not fit.
        """
        if items > 0:
            self.request.rate_limit_further_items = items  # type: ignore[attr-defined]  # read by the throttle
            super().check_throttles(self.request)

    def conditional(self, body: bytes, etag: str = "") -> HttpResponseBase:
        """The bytes as JSON under their ETag, or 304 where the caller holds them already."""
        etag = etag or f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        # Django's own function would answer If-Match and If-Unmodified-Since with 412, which means nothing here.
        held = parse_etags(self.request.headers.get("If-None-Match", ""))
        is_held = "*" in held or etag in {entry.removeprefix("W/") for entry in held}
        response = HttpResponseNotModified() if is_held else self.plain(body)
        response["ETag"] = etag
        return response

    def plain(self, body: bytes) -> HttpResponse:
        """The bytes as JSON."""
        return HttpResponse(body, content_type="application/json")

    def answered(self, content: dict[str, Any]) -> HttpResponseBase:
        """The content as JSON; 304 where a reader holds it already."""
        body = orjson.dumps(content, default=str)
        return self.plain(body) if self.request.method == "POST" else self.conditional(body)

    def finalize_response(  # type: ignore[override]  # DRF takes any HttpResponseBase here
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        finished: HttpResponseBase = super().finalize_response(
            request,
            response,  # type: ignore[arg-type]
            *args,
            **kwargs,
        )
        if not finished.has_header("Cache-Control"):
            finished["Cache-Control"] = PRIVATE
        patch_vary_headers(finished, ["Authorization"])
        headers = {
            **getattr(request, "rate_limit_headers", {}),
            **(self.deprecation.headers if self.deprecation else {}),
        }
        for name, value in headers.items():
            finished[name] = value
        return finished
