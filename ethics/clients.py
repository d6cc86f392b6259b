"""Services over API clients and their keys."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.db import transaction

from ethics import audit
from ethics.models import ApiClient, ApiKey
from ethics.policy import Audience


@transaction.atomic
def client_create(*, organisation: str, audience: Audience) -> ApiClient:
    """Create an API client.

    Raises:
        ValidationError: the organisation exists already, or the audience is not one of a client.
    """
    client = ApiClient(organisation=organisation.strip(), audience=audience.value)
    client.full_clean()
    client.save()
    audit.record("client.created", subjects=[client.public_id], details={"audience": client.audience})
    return client


@transaction.atomic
def api_key_create(*, client: ApiClient, name: str, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    """Create a key; the returned text is the only time that the key itself can be read."""
    key, text = ApiKey.objects.create_key(client=client, name=name[:50], expiry_date=expires_at)
    audit.record("api_key.created", subjects=[key.prefix], details={"client": str(client.public_id)})
    return cast(ApiKey, key), text


@transaction.atomic
def api_key_revoke(*, key: ApiKey) -> None:
    """Revoke a key: the next request with it is refused."""
    key.revoked = True
    key.save(update_fields=["revoked"])
    audit.record("api_key.revoked", subjects=[key.prefix], details={"client": str(key.client.public_id)})


@transaction.atomic
def client_update(*, client: ApiClient, organisation: str, audience: Audience, is_active: bool) -> ApiClient:
    """Change a client. Its keys follow: an inactive client's keys are refused.

    Raises:
        ValidationError: the organisation exists already, or the audience is not one of a client.
    """
    client.organisation, client.audience, client.is_active = organisation.strip(), audience.value, is_active
    client.full_clean()
    client.save()
    audit.record(
        "client.updated",
        subjects=[client.public_id],
        details={"audience": client.audience, "is_active": client.is_active},
    )
    return client
