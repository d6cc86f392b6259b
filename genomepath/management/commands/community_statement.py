"""``manage.py community_statement SLUG --from DATE --to DATE``: every use of a community's knowledge in a period."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ethics.models import Community
from genomepath.community_statement import community_statement, statement_csv
from genomepath.statement_period import StatementPeriod


class Command(BaseCommand):
    """Counts the uses from the audit log."""

    help = (
        "Count every use of a community's knowledge in a period: predictions per client, exports, trainings, refusals."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the community")
        parser.add_argument("--from", dest="first", required=True, metavar="DATE", help="first day, such as 2026-01-01")
        parser.add_argument("--to", dest="last", required=True, metavar="DATE", help="last day, included")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the statement as JSON")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="write the statement as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            period = StatementPeriod.parse(options["first"], options["last"])
        except (ValueError, OverflowError) as error:
            raise CommandError(f"The period is not valid: {error}") from error
        community = Community.objects.filter(slug=options["slug"]).first()
        if community is None:
            raise CommandError("There is no such community.")
        statement = community_statement(community, period.start, period.end)
        files = {
            options["json"]: json.dumps(statement, indent=2, ensure_ascii=False) + "\n",
            options["csv"]: statement_csv(statement),
        }
        try:
            for file, text in files.items():
                if file is not None:
                    file.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise CommandError(f"The statement could not be written: {error}") from error
        if missing := statement["not_counted"]:
            self.stderr.write(
                f"Not complete: {missing['archived_events']} events of the log from before {missing['until']}, of all "
                "communities, lie in the archive and are not counted."
            )
        for name, count in statement["totals"].items():
            self.stdout.write(f"{name.replace('_', ' ').capitalize()}: {count}")
