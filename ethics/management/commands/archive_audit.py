"""`manage.py archive_audit`: moves old sealed records of the audit log into a compressed file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from ethics.audit import command_audit_context
from ethics.audit.archive import archivable_size, audit_range_archive


class Command(BaseCommand):
    """Archive a range of the log."""

    help = (
        "Move sealed records of the audit log from the event table into a compressed file that verify_audit reads. Leaves "
        "and signed heads stay in the database. Needs the database's owner: no other role may delete events."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--until-size", type=int, metavar="N", help="archive the first N records of the log")
        chosen.add_argument(
            "--older-than", type=int, metavar="DAYS", help="archive the records before the first one that is younger"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the file's name, range and SHA-256."""
        days, size = options["older_than"], options["until_size"]
        if days is not None and days < 1:
            raise CommandError("--older-than must be at least 1 day.")
        if days is not None:
            size = archivable_size(before=timezone.now() - timedelta(days=days))
        with command_audit_context(), tqdm(unit="record", file=sys.stderr, disable=None, delay=1) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                archive = audit_range_archive(until_size=size, progress=progress)
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(
            f"Archived {archive} in {archive.file_name} ({archive.size_bytes} bytes, SHA-256 {archive.sha256})."
        )
