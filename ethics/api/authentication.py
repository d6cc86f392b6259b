"""``Authorization: Api-Key ...`` names the client; the client's audience decides what it may see."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_api_key.permissions import KeyParser

from ethics.api.verified_keys import VerifiedKey, key_verify
from ethics.revisions import current_revisions

INVALID_KEY = "The API key is not valid."
LONGEST_KEY = 200


class ApiKeyAuthentication(BaseAuthentication):
    """Sets ``request.auth`` to the ``VerifiedKey``, and ``request.revisions`` to the revisions that it rests on.

    A malformed, unknown, expired or revoked key is answered alike.
    """

    def authenticate(self, request: Request) -> tuple[None, VerifiedKey] | None:
        text = KeyParser().get(request)
        if text is None:
            return None
        if "\x00" in text or len(text) > LONGEST_KEY:
            raise AuthenticationFailed(INVALID_KEY)
        revisions = current_revisions()
        key = key_verify(text, client_revision=revisions.clients)
        if key is None or key.has_expired(timezone.now()):
            raise AuthenticationFailed(INVALID_KEY)
        request.revisions = revisions  # type: ignore[attr-defined]  # what the answer rests on as well
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Api-Key"
