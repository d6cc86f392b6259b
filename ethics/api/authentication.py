"""``Authorization: Api-Key ...`` names the client; the client's audience decides what it may see."""

from __future__ import annotations

from typing import cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_api_key.permissions import KeyParser

from ethics.models import ApiClient, ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """Sets ``request.auth`` to the ``ApiClient``. A malformed, unknown, expired or revoked key is answered alike."""

    def authenticate(self, request: Request) -> tuple[None, ApiClient] | None:
        text = KeyParser().get(request)
        if text is None:
            return None
        if "\x00" in text:
            raise AuthenticationFailed("The API key is not valid.")
        try:
            key = cast(ApiKey, ApiKey.objects.get_from_key(text))
        except ApiKey.DoesNotExist:
            raise AuthenticationFailed("The API key is not valid.") from None
        if key.has_expired or not key.client.is_active:
            raise AuthenticationFailed("The API key is not valid.")
        return None, key.client

    def authenticate_header(self, request: Request) -> str:
        return "Api-Key"
