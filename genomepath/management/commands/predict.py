"""`manage.py predict`: one prediction on the command line, with its attribution, through the gate that the API uses."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from correlations.vocabulary import Direction, Dose
from ethics.audit import command_audit_context
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Audience
from genomepath.prediction_text import readable_answer
from genomepath.serving import (
    DEFAULT_PRACTICES,
    DEFAULT_TARGETS,
    MAX_K,
    PredictionQuestion,
    SubjectNotFound,
    prediction_serve,
)
from genomepath.text_prediction import MAX_TEXT_BYTES, ModelFolderUnreadable, text_predict
from genomepath.version_in_service import NoActiveModel


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
        subject.add_argument("--text", type=Path, metavar="FILE", help="UTF-8 text that describes a practice")
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
        k = _k(options)
        with command_audit_context():
            try:
                content = _of_text(options, k) if options["text"] is not None else _of_catalogue(options, k)
            except NoActiveModel:
                raise CommandError("No model is in service. Train one and promote it first.") from None
            except SubjectNotFound:
                raise CommandError("There is nothing under this name that may be used for this audience.") from None
        if options["json"]:
            self.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
        else:
            self.stdout.write(readable_answer(content))


def _k(options: dict[str, Any]) -> int:
    if options["k"] is None:
        return DEFAULT_TARGETS if options["gene"] is None else DEFAULT_PRACTICES
    if not 1 <= options["k"] <= MAX_K:
        raise CommandError(f"--k must be from 1 to {MAX_K}.")
    return int(options["k"])


def _dose(options: dict[str, Any]) -> Dose | None:
    return Dose(options["dose"]) if options["dose"] else None


def _of_catalogue(options: dict[str, Any], k: int) -> dict[str, Any]:
    practice, gene = options["practice"], options["gene"]
    if gene is not None and options["dose"]:
        raise CommandError("--dose goes with a practice: predictions for a gene are not resolved by dose.")
    subject = (practice if practice is not None else gene).strip()
    if not subject or not subject.isprintable():
        raise CommandError("Give a name without control characters.")
    direction = Direction.TK_TO_GENOMIC if gene is None else Direction.GENOMIC_TO_TK
    question = PredictionQuestion(direction, subject, k, _dose(options))
    answer = prediction_serve(question=question, audience=Audience(options["audience"]))
    content: dict[str, Any] = orjson.loads(answer.body)
    return content


def _of_text(options: dict[str, Any], k: int) -> dict[str, Any]:
    path: Path = options["text"]
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_TEXT_BYTES + 1)
        text = raw.decode("utf-8-sig").replace("\x00", " ").strip()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 text.") from error
    if not text:
        raise CommandError(f"{path} holds no text.")
    if len(raw) > MAX_TEXT_BYTES:
        raise CommandError(f"{path} is longer than {MAX_TEXT_BYTES} bytes.")
    try:
        return text_predict(text=text, dose=_dose(options), k=k, audience=Audience(options["audience"]))
    except ModelFolderUnreadable as error:
        raise CommandError(f"The active model cannot be read: {error}") from error
