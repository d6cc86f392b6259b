"""`manage.py shred_audit_text`: destroys a name or a reason that the audit log knows, for good."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ethics.audit import command_audit_context
from ethics.audit.shredding import identity_shred, reason_shred
from ethics.models import AuditEvent, AuditIdentity


class Command(BaseCommand):
    """The log still verifies afterwards: it holds commitments, not texts."""

    help = (
        "Destroy the name of an actor in every event, or the reason that one event gives. It can't be taken back; an event "
        "says that it was done and why. Backups, packs handed out and the field history are not touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--actor", metavar="NAME", help="the actor's whole name")
        what.add_argument("--reason-of", metavar="EVENT_ID", type=UUID, help="the event whose reason goes")
        parser.add_argument("--reason", required=True, help="why; the log keeps it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with command_audit_context():
                if options["actor"] is not None:
                    identity_shred(
                        identity=AuditIdentity.objects.exclude(name="").get(name=options["actor"]),
                        reason=options["reason"],
                    )
                else:
                    reason_shred(event=AuditEvent.objects.get(event_id=options["reason_of"]), reason=options["reason"])
        except AuditIdentity.DoesNotExist:
            raise CommandError("The log knows no actor of that name.") from None
        except AuditEvent.DoesNotExist:
            raise CommandError("The log has no such event.") from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write("destroyed")
