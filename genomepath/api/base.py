"""What every endpoint of the API shares."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from ethics import audit
from ethics.api.verified_keys import VerifiedKey
from ethics.policy import Audience
from ethics.scopes import Scope


class NoModelInService(APIException):
    """503: nothing can be predicted until a model is promoted."""

    status_code = 503
    default_detail = "No model is in service yet. Predictions appear once a model has been trained and promoted."
    default_code = "no_model_in_service"
    wait = 60


class ClientView(APIView):
    """A read-only view for API clients: no shared cache may keep an answer, and the rate limit stands in the headers."""

    http_method_names = ["get", "head"]
    required_scope: ClassVar[Scope]

    @property
    def key(self) -> VerifiedKey:
        """The key that the request carries; the permission class has made sure of it."""
        assert isinstance(self.request.auth, VerifiedKey)  # noqa: S101
        return self.request.auth

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
            finished["Cache-Control"] = "private, no-cache"
        patch_vary_headers(finished, ["Authorization"])
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            finished[name] = value
        return finished
