"""``manage.py export_evidence_pack FILE``: events of the audit log with their proofs, for a third party to verify."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ethics.audit import command_audit_context
from ethics.audit.filters import AuditFilters, FilterError
from ethics.audit.pack import EvidencePack, PackError, evidence_pack_write
from ethics.models import ApiClient

_FILTERS = {
    "community": ("SLUG", "events that name the community"),
    "since": ("TIME", "from this day or time on, such as 2026-01-01 (UTC)"),
    "until": ("TIME", "up to and with this day, or before this time"),
    "client": ("NAME", "events of this API client: its organisation or public id"),
    "subject": ("ID", "events about this item or record: its public id or slug"),
    "type": ("TYPE", "events of this type, such as consent.withdrawn, or of a family, such as consent.*"),
    "actor": ("NAME", "events of this person or account"),
    "refusal": ("CODE", "withheld requests with this reason"),
    "request": ("ID", "events of this request"),
}
_NAMES = {"type": "event_type", "request": "request_id"}


class Command(BaseCommand):
    """Writes a pack and says how it is verified."""

    help = (
        "Write the events of the audit log that pass the filters to the zip FILE, with proofs, signed heads, keys, a "
        "summary to print, and a program that verifies them on any machine with Python. The export is itself an event."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the zip file to write")
        for name, (metavar, text) in _FILTERS.items():
            parser.add_argument(f"--{name}", metavar=metavar, default="", help=text)
        parser.add_argument(
            "--head", type=int, metavar="SIZE", help="as of the signed head of this size (default: newest)"
        )
        parser.add_argument("--no-names", action="store_true", help="leave out names and reasons in clear text")
        parser.add_argument("--force", action="store_true", help="replace FILE where it exists")
        parser.add_argument("--json", action="store_true", help="print what was written as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the pack."""
        given = {_NAMES.get(name, name): options[name] for name in _FILTERS}
        given["client"] = _client_id(given["client"])
        try:
            filters = AuditFilters.parse(given)
        except FilterError as error:
            option = next((name for name, field in _NAMES.items() if field == error.field), error.field)
            raise CommandError(f"--{option}: {error}") from error
        with command_audit_context() as context, tqdm(unit=" events", delay=2, disable=None, leave=False) as bar:
            try:
                pack = evidence_pack_write(
                    filters=filters,
                    destination=options["file"],
                    requested_by=context,
                    disclose=not options["no_names"],
                    overwrite=options["force"],
                    tree_size=options["head"],
                    progress=bar.update,
                )
            except PackError as error:
                raise CommandError(str(error)) from error
        self._tell(pack, as_json=options["json"])

    def _tell(self, pack: EvidencePack, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(dataclasses.asdict(pack), default=str, indent=2))
            return
        self.stdout.write(f"{pack.path}: {pack.events} events of the {pack.tree_size} in the log, {pack.size} bytes")
        self.stdout.write(f"SHA-256 of the file: {pack.sha256}")
        self.stdout.write(f"Fingerprint of the key, to be given by another way: {pack.fingerprint}")
        self.stdout.write(f"Verify: python3 -I ethics/audit/verify.py {pack.path} --key {pack.fingerprint}")
        if pack.heads_left_out:
            self.stdout.write(f"Signed heads: {pack.heads}; {pack.heads_left_out} between them were left out.")
        if pack.not_here:
            self.stderr.write(f"Not looked through: {pack.not_here} events that were moved to the archive.")
        if pack.not_sealed:
            self.stderr.write(f"Left out: {pack.not_sealed} events that are not sealed yet.")


def _client_id(name: str) -> str:
    """The public id of the client with this organisation; the text itself where there is none."""
    client = ApiClient.objects.filter(organisation=name).first() if name and "\x00" not in name else None
    return str(client.public_id) if client is not None else name
