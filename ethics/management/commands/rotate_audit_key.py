"""`manage.py rotate_audit_key`: a new key for the heads of the log, endorsed by the one before it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ethics.audit import command_audit_context
from ethics.audit.signing import AuditKeyError, audit_key_rotate, key_path


class Command(BaseCommand):
    """Heads that the old key signed stay valid under it."""

    help = (
        "Make a signing key for the audit log, endorsed by the present one. It signs once the event about it is sealed. "
        "Keep the old private key until then; run this where the sealer's audit folder is."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with command_audit_context():
                key = audit_key_rotate()
        except AuditKeyError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"key {key.key_id}, endorsed by {key.endorsed_by_id}; private key in {key_path(key.key_id)}")
