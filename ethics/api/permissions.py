"""Who may call the API, from where, and for what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ethics.api.client_address import client_address
from ethics.api.verified_keys import VerifiedKey, key_note_use
from ethics.scopes import Scope

if TYPE_CHECKING:
    # rest_framework.views loads this module while it is being imported itself.
    from rest_framework.views import APIView


class KeyAllows(BasePermission):
    """Allows requests whose key may be used from this address and for the ``required_scope`` of the view."""

    message = "An API key is required: Authorization: Api-Key <key>."

    def has_permission(self, request: Request, view: APIView) -> bool:
        key = request.auth
        if not isinstance(key, VerifiedKey):
            return False
        if not key.may_be_used_from(client_address(request._request)):
            raise PermissionDenied("The key may not be used from this network.")
        # A view without a scope is a mistake of ours, and closed.
        scope: Scope | None = getattr(view, "required_scope", None)
        if scope is None or scope not in key.scopes:
            raise PermissionDenied(f"The key lacks the scope '{scope or 'unknown'}'.")
        key_note_use(key, timezone.now())
        return True
