"""`manage.py predict`: one prediction on the command line, with its attribution, through the gate that the API uses."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from correlations.vocabulary import Direction, Dose
from ethics.audit import AuditContext, audit_context
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Audience
from genomepath.prediction_text import readable_answer
from genomepath.serving import (
    DEFAULT_PRACTICES,
    DEFAULT_TARGETS,
    MAX_K,
    NoActiveModel,
    PredictionQuestion,
    SubjectNotFound,
    prediction_serve,
)


class Command(BaseCommand):
    """Print the published prediction for a practice or a target."""

    help = (
        "Print what the active model predicts for a practice (targets) or a gene (practices), with attribution and "
        "sources. The policy for the chosen audience applies and the answer is recorded in the audit log."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        subject = parser.add_mutually_exclusive_group(required=True)
        subject.add_argument("--practice", metavar="SLUG", help="slug of a practice")
        subject.add_argument("--gene", metavar="SYMBOL", help="HGNC symbol of a target, in any case")
        parser.add_argument("--dose", choices=[dose.value for dose in Dose], help="dose level of the practice")
        parser.add_argument("--k", type=int, metavar="N", help=f"how many predictions, 1 to {MAX_K}")
        parser.add_argument(
            "--audience",
            choices=[audience.value for audience in CLIENT_AUDIENCES],
            default=Audience.RESEARCH.value,
            help="for whom the policy decides (default: research)",
        )
        parser.add_argument("--json", action="store_true", help="print the answer as the API gives it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the answer."""
        question = _question(options)
        with audit_context(AuditContext(actor_name=getpass.getuser(), actor_role="command")):
            try:
                answer = prediction_serve(question=question, audience=Audience(options["audience"]))
            except NoActiveModel:
                raise CommandError("No model is in service. Train one and promote it first.") from None
            except SubjectNotFound:
                raise CommandError("There is nothing under this name that may be used for this audience.") from None
        content = orjson.loads(answer.body)
        if options["json"]:
            self.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
        else:
            self.stdout.write(readable_answer(content))


def _question(options: dict[str, Any]) -> PredictionQuestion:
    practice, gene = options["practice"], options["gene"]
    if gene is not None and options["dose"]:
        raise CommandError("--dose goes with --practice: predictions for a gene are not resolved by dose.")
    subject = (practice if practice is not None else gene).strip()
    if not subject or not subject.isprintable():
        raise CommandError("Give a name without control characters.")
    k = options["k"] if options["k"] is not None else (DEFAULT_TARGETS if gene is None else DEFAULT_PRACTICES)
    if not 1 <= k <= MAX_K:
        raise CommandError(f"--k must be from 1 to {MAX_K}.")
    dose = Dose(options["dose"]) if options["dose"] else None
    direction = Direction.TK_TO_GENOMIC if gene is None else Direction.GENOMIC_TO_TK
    return PredictionQuestion(direction, subject, k, dose)
