"""API clients: the organisations that ask, each with its audience, and their keys."""

from __future__ import annotations

import uuid
from typing import ClassVar, cast

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from rest_framework_api_key.models import AbstractAPIKey, APIKeyManager

from ethics.models.choices import choices_of
from ethics.models.network import NetworkField
from ethics.models.policy_revision import raises_client_revision
from ethics.policy import Audience
from ethics.scopes import ALL_SCOPES, Scope

CLIENT_AUDIENCES = [Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY]
MOST_NETWORKS = 32


def all_scopes() -> list[str]:
    """The scopes of a key that nobody narrowed."""
    return [scope.value for scope in ALL_SCOPES]


class ApiClient(models.Model):
    """An organisation that calls the API. Its audience decides which knowledge it may see."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.CharField(max_length=200, unique=True)
    audience = models.CharField(
        max_length=12, choices=[choice for choice in choices_of(Audience) if choice[0] != Audience.PLATFORM.value]
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["organisation"]
        verbose_name = "API client"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(audience__in=[audience.value for audience in CLIENT_AUDIENCES]),
                name="client_audience_is_known",
            ),
            models.CheckConstraint(condition=~models.Q(organisation=""), name="client_has_organisation"),
        ]
        triggers = [
            raises_client_revision(
                pgtrigger.UpdateOf("audience", "is_active", "organisation") | pgtrigger.Delete | pgtrigger.Truncate  # type: ignore[no-untyped-call]
            )
        ]

    def __str__(self) -> str:
        return self.organisation


class ApiKeyManager(APIKeyManager):
    """Fetches a key together with its client."""

    def get_usable_keys(self) -> models.QuerySet:
        return super().get_usable_keys().select_related("client")

    def get_from_key(self, key: str) -> ApiKey:
        """The key that the text is, not revoked.

        Raises:
            ApiKey.DoesNotExist: there is none.
        """
        return cast(ApiKey, super().get_from_key(key))


class ApiKey(AbstractAPIKey):
    """A key of a client. Only its hash is stored; the key itself is shown once.

    Without ``allowed_networks`` it may be used from anywhere. The limits count requests of this key; empty means the
    platform's own. ``last_used_at`` may lag by some minutes.
    """

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="keys")
    scopes = ArrayField(
        models.CharField(max_length=20, choices=choices_of(Scope)),
        default=all_scopes,
        help_text="What the key may ask for.",
    )
    allowed_networks = ArrayField(
        NetworkField(), default=list, blank=True, help_text="From where the key may be used; empty: from anywhere."
    )
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    requests_per_day = models.PositiveIntegerField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaced_by = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="replaces"
    )

    objects: ClassVar = ApiKeyManager()

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0, scopes__contained_by=all_scopes()), name="api_key_scopes_are_known"
            ),
            models.CheckConstraint(
                condition=Q(allowed_networks__len__lte=MOST_NETWORKS), name="api_key_networks_are_few"
            ),
            models.CheckConstraint(
                condition=(Q(requests_per_minute__isnull=True) | Q(requests_per_minute__gt=0))
                & (Q(requests_per_day__isnull=True) | Q(requests_per_day__gt=0)),
                name="api_key_limits_are_positive",
            ),
            models.CheckConstraint(condition=~Q(hashed_key="") & ~Q(prefix=""), name="api_key_is_hashed"),
            models.CheckConstraint(
                condition=Q(replaced_by__isnull=True) | ~Q(replaced_by=F("id")), name="api_key_replaced_by_another"
            ),
            models.CheckConstraint(
                condition=Q(replaced_by__isnull=True) | Q(expiry_date__isnull=False) | Q(revoked=True),
                name="api_key_replaced_comes_to_an_end",
            ),
        ]
        triggers = [
            raises_client_revision(
                pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "revoked", "expiry_date", "scopes", "allowed_networks", "hashed_key", "prefix", "client_id",
                    "requests_per_minute", "requests_per_day",
                )
                | pgtrigger.Delete
                | pgtrigger.Truncate
            )
        ]  # fmt: skip
