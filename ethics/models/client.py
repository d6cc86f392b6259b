"""API clients: the organisations that ask, each with its audience, and their keys."""

from __future__ import annotations

import uuid

from django.db import models
from rest_framework_api_key.models import AbstractAPIKey

from ethics.models.choices import choices_of
from ethics.policy import Audience

CLIENT_AUDIENCES = [Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY]


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

    def __str__(self) -> str:
        return self.organisation


class ApiKey(AbstractAPIKey):
    """A key of a client. Only its hash is stored; the key itself is shown once."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="keys")

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
