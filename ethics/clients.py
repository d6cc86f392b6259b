"""Services over API clients and their keys."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ethics import audit
from ethics.models import ApiClient, ApiKey
from ethics.models.network import canonical_networks
from ethics.policy import Audience
from ethics.scopes import ALL_SCOPES, Scope

LONGEST_OVERLAP = timedelta(days=30)


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
def api_key_create(
    *,
    client: ApiClient,
    name: str,
    expires_at: datetime | None = None,
    scopes: Collection[Scope] = ALL_SCOPES,
    allowed_networks: Collection[str] = (),
    requests_per_minute: int | None = None,
    requests_per_day: int | None = None,
) -> tuple[ApiKey, str]:
    """Create a key; the returned text is the only time that the key itself can be read.

    Raises:
        ValidationError: no scope, an unknown one, something that is no network, or a limit below 1.
    """
    try:
        networks = canonical_networks(allowed_networks)
    except ValidationError as error:
        raise ValidationError({"allowed_networks": error.messages}) from None
    key = ApiKey(
        client=client,
        name=name[:50],
        expiry_date=expires_at,
        scopes=[scope.value for scope in ALL_SCOPES if scope in scopes],
        allowed_networks=networks,
        requests_per_minute=requests_per_minute,
        requests_per_day=requests_per_day,
    )
    text = ApiKey.objects.assign_key(key)
    key.full_clean()
    key.save(force_insert=True)
    _record_created(key)
    return key, text


@transaction.atomic
def api_key_rotate(*, key: ApiKey, overlap: timedelta) -> tuple[ApiKey, str]:
    """Create the successor of a key, alike in all but its text; the old key ends after the overlap.

    A key that would have ended before that still does.

    Raises:
        ValidationError: the key is revoked, has expired or was rotated before, or the overlap is negative or over 30 days.
    """
    key = ApiKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
    now = timezone.now()
    if key.revoked or (key.expiry_date is not None and key.expiry_date <= now):
        raise ValidationError("Only a key that is in use can be rotated.")
    if key.replaced_by_id is not None:
        raise ValidationError("The key was rotated before; rotate its successor.")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationError(f"The overlap must be from 0 to {LONGEST_OVERLAP.days} days.")
    successor, text = api_key_create(
        client=key.client,
        name=key.name,
        expires_at=key.expiry_date,
        scopes=[Scope(scope) for scope in key.scopes],
        allowed_networks=key.allowed_networks,
        requests_per_minute=key.requests_per_minute,
        requests_per_day=key.requests_per_day,
    )
    key.replaced_by = successor
    key.expiry_date = min(now + overlap, key.expiry_date or now + overlap)
    key.save(update_fields=["replaced_by", "expiry_date"])
    audit.record(
        "api_key.rotated",
        subjects=[key.prefix, successor.prefix],
        details={"client": str(key.client.public_id), "ends": key.expiry_date.isoformat(timespec="seconds")},
    )
    return successor, text


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


def _record_created(key: ApiKey) -> None:
    audit.record(
        "api_key.created",
        subjects=[key.prefix],
        details={
            "client": str(key.client.public_id),
            "scopes": list(key.scopes),
            "networks": list(key.allowed_networks),
        },
    )
