"""`manage.py create_api_key NAME`: a key for an organisation, shown once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from ethics.audit import command_audit_context
from ethics.clients import api_key_create, client_create
from ethics.models import ApiClient
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Audience

DEFAULT_AUDIENCE = Audience.COMMERCIAL
LONGEST_DAYS = 3650


class Command(BaseCommand):
    """Create the API client where it does not exist, and one more key for it."""

    help = (
        "Create an API key for an organisation and print it once; only its hash is stored. The client is created where "
        f"it does not exist, with the audience {DEFAULT_AUDIENCE.value} unless --audience says otherwise."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the organisation")
        parser.add_argument(
            "--audience", choices=[audience.value for audience in CLIENT_AUDIENCES], help="which knowledge it may see"
        )
        parser.add_argument(
            "--expires-days", type=int, metavar="DAYS", help="days until the key expires (default: never)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the key, alone on standard output."""
        days = options["expires_days"]
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise CommandError(f"--expires-days must be from 1 to {LONGEST_DAYS}.")
        if not options["name"].strip().isprintable():
            raise CommandError("NAME must not hold control characters.")
        with command_audit_context(), transaction.atomic():
            client = _client(options["name"].strip(), options["audience"])
            expires_at = timezone.now() + timedelta(days=days) if days is not None else None
            _, text = api_key_create(client=client, name=client.organisation, expires_at=expires_at)
        self.stderr.write(
            f"Key of {client.organisation} (audience {client.audience}). It is shown this once; keep it safe."
        )
        self.stdout.write(text)


def _client(organisation: str, audience: str | None) -> ApiClient:
    client = ApiClient.objects.filter(organisation=organisation).first()
    if client is None:
        try:
            return client_create(organisation=organisation, audience=Audience(audience or DEFAULT_AUDIENCE.value))
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
    if audience is not None and audience != client.audience:
        raise CommandError(f"{organisation} exists with the audience {client.audience}; a key can't change it.")
    if not client.is_active:
        raise CommandError(f"{organisation} is not active; its keys would be refused.")
    return client
