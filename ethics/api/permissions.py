"""Who may call the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ethics.models import ApiClient

if TYPE_CHECKING:
    # rest_framework.views loads this module while it is being imported itself.
    from rest_framework.views import APIView


class HasApiClient(BasePermission):
    """Allows requests that carry the key of an active client."""

    message = "An API key is required: Authorization: Api-Key <key>."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, ApiClient)
