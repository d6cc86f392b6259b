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
from ethics.clients import LONGEST_OVERLAP, api_key_create, api_key_rotate, client_create
from ethics.models import ApiClient, ApiKey
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Audience
from ethics.scopes import ALL_SCOPES, Scope

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
        parser.add_argument(
            "--scope",
            action="append",
            choices=[scope.value for scope in ALL_SCOPES],
            help="what the key may ask for; may be given more than once (default: everything)",
        )
        parser.add_argument(
            "--network",
            action="append",
            metavar="CIDR",
            default=[],
            help="from where the key may be used, such as 192.0.2.0/24; may be given more than once (default: anywhere)",
        )
        parser.add_argument("--per-minute", type=int, metavar="N", help="requests a minute (default: the platform's)")
        parser.add_argument("--per-day", type=int, metavar="N", help="requests a day (default: the platform's)")
        parser.add_argument(
            "--rotate", metavar="PREFIX", help="make the successor of this key of the organisation instead"
        )
        parser.add_argument(
            "--overlap-hours", type=int, default=24, metavar="H", help="how long a rotated key still works (24)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the key, alone on standard output."""
        if not options["name"].strip().isprintable():
            raise CommandError("NAME must not hold control characters.")
        try:
            with command_audit_context(), transaction.atomic():
                text, client = _rotated(options) if options["rotate"] else _created(options)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stderr.write(
            f"Key of {client.organisation} (audience {client.audience}). It is shown this once; keep it safe."
        )
        self.stdout.write(text)


def _created(options: dict[str, Any]) -> tuple[str, ApiClient]:
    days = options["expires_days"]
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise CommandError(f"--expires-days must be from 1 to {LONGEST_DAYS}.")
    client = _client(options["name"].strip(), options["audience"])
    _, text = api_key_create(
        client=client,
        name=client.organisation,
        expires_at=timezone.now() + timedelta(days=days) if days is not None else None,
        scopes=[Scope(scope) for scope in options["scope"]] if options["scope"] else ALL_SCOPES,
        allowed_networks=options["network"],
        requests_per_minute=options["per_minute"],
        requests_per_day=options["per_day"],
    )
    return text, client


def _rotated(options: dict[str, Any]) -> tuple[str, ApiClient]:
    settings_given = ("audience", "expires_days", "scope", "network", "per_minute", "per_day")
    if any(options[name] for name in settings_given):
        raise CommandError("--rotate keeps the settings of the key; it can't be combined with options that set them.")
    key = ApiKey.objects.filter(prefix=options["rotate"], client__organisation=options["name"].strip()).first()
    if key is None:
        raise CommandError("The organisation has no key with this prefix.")
    if not 0 <= options["overlap_hours"] <= LONGEST_OVERLAP.days * 24:
        raise CommandError(f"--overlap-hours must be from 0 to {LONGEST_OVERLAP.days * 24}.")
    _, text = api_key_rotate(key=key, overlap=timedelta(hours=options["overlap_hours"]))
    return text, key.client


def _client(organisation: str, audience: str | None) -> ApiClient:
    client = ApiClient.objects.filter(organisation=organisation).first()
    if client is None:
        return client_create(organisation=organisation, audience=Audience(audience or DEFAULT_AUDIENCE.value))
    if audience is not None and audience != client.audience:
        raise CommandError(f"{organisation} exists with the audience {client.audience}; a key can't change it.")
    if not client.is_active:
        raise CommandError(f"{organisation} is not active; its keys would be refused.")
    return client
