"""Questions in a JSON body, read strictly: about a practice, a target, or a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rest_framework.exceptions import ValidationError

from correlations.vocabulary import Direction, Dose
from genomepath.api.refusals import Refusals
from genomepath.described_prediction import Description
from genomepath.serving import DEFAULT_PRACTICES, DEFAULT_TARGETS, MAX_K, PredictionQuestion

MOST_QUESTIONS = 100
LONGEST_NAME = 120
NAME_FORM = r"^[^\u0000]+$"
LONGEST_TEXT = 4000
MOST_TEXTS = 10
"""A text costs some twenty times as much as a name."""
MOST_TERMS, LONGEST_TERM = 20, 200
_PRINTED = r"[^\s\u0000-\u001f\u007f-\u009f\ufeff]"
TEXT_FORM = rf"^[^\u0000]*{_PRINTED}[^\u0000]*$"
"""As the OpenAPI document says it: at least one printed character, and no NUL."""
_HAS_PRINTED = re.compile(_PRINTED)
_TERMS = ("pathways", "tissues", "diseases")
_MEMBERS = {"practice": {"practice", "dose", "k"}, "target": {"target", "k"}, "text": {"text", "dose", "k"}}


@dataclass(frozen=True)
class TextQuestion:
    """Targets for a practice in the caller's own words."""

    text: str
    k: int
    dose: Dose | None


@dataclass(frozen=True)
class DescribedQuestion:
    """Practices for a gene or findings in the caller's own words."""

    description: Description
    k: int


def question_read(given: Any) -> PredictionQuestion | TextQuestion:
    """One question of a batch.

    Raises:
        ValidationError: naming each member that is unknown, missing or malformed.
    """
    if not isinstance(given, dict):
        raise ValidationError({"": "A question is an object."})
    kinds = [name for name in _MEMBERS if name in given]
    if len(kinds) != 1:
        raise ValidationError({"": "A question holds one of practice, target, text."})
    kind = kinds[0]
    if kind == "text":
        return text_question_read(given)
    is_practice = kind == "practice"
    with Refusals() as refusals:
        refusals.read(check_members, given, _MEMBERS[kind])
        subject = refusals.read(name_read, given, kind)
        k = refusals.read(count_read, given, default=DEFAULT_TARGETS if is_practice else DEFAULT_PRACTICES)
        dose = refusals.read(dose_read, given) if is_practice else None
    return PredictionQuestion(Direction.TK_TO_GENOMIC if is_practice else Direction.GENOMIC_TO_TK, subject, k, dose)


def text_question_read(given: Any) -> TextQuestion:
    """A text about a practice.

    Raises:
        ValidationError: naming each member that is unknown, missing or malformed.
    """
    given = object_read(given)
    with Refusals() as refusals:
        refusals.read(check_members, given, _MEMBERS["text"])
        text = refusals.read(text_read, given, "text")
        k = refusals.read(count_read, given, default=DEFAULT_TARGETS)
        dose = refusals.read(dose_read, given)
    return TextQuestion(text, k, dose)


def described_question_read(given: Any) -> DescribedQuestion:
    """A gene (``name`` with what is known of it) or ``findings`` as a text.

    Raises:
        ValidationError: naming each member that is unknown, missing or malformed.
    """
    given = object_read(given)
    with Refusals() as refusals:
        refusals.read(check_members, given, {"name", "findings", *_TERMS, "k"})
        text = refusals.read(_description_read, given)
        terms = {member: refusals.read(_terms_read, given, member) for member in _TERMS}
        k = refusals.read(count_read, given, default=DEFAULT_PRACTICES)
    return DescribedQuestion(Description(text, **terms), k)


def text_read(given: dict[str, Any], member: str) -> str:
    """A text of the caller's own.

    Raises:
        ValidationError: it is no text, blank, too long, or holds a NUL character.
    """
    value = given.get(member)
    if not _is_text(value, LONGEST_TEXT):
        raise ValidationError({member: f"Give a text of 1 to {LONGEST_TEXT} characters, without NUL."})
    return str(value)


def _description_read(given: dict[str, Any]) -> str:
    if ("name" in given) == ("findings" in given):
        raise ValidationError({"": "Give either the name of a gene or findings."})
    return text_read(given, "name" if "name" in given else "findings")


def _terms_read(given: dict[str, Any], member: str) -> list[str]:
    terms = given.get(member, [])
    fits = isinstance(terms, list) and len(terms) <= MOST_TERMS
    if not fits or not all(_is_text(term, LONGEST_TERM) for term in terms):
        raise ValidationError(
            {member: f"Give at most {MOST_TERMS} texts of 1 to {LONGEST_TERM} characters, without NUL."}
        )
    return list(terms)


def _is_text(value: Any, longest: int) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= longest or "\x00" in value:
        return False
    return _HAS_PRINTED.search(value) is not None


def object_read(given: Any) -> dict[str, Any]:
    """A body that is an object.

    Raises:
        ValidationError: it is none.
    """
    if not isinstance(given, dict):
        raise ValidationError({"": "The body must be a JSON object."})
    return given


def check_members(given: dict[str, Any], allowed: set[str]) -> None:
    """Refuse members that are not known.

    Raises:
        ValidationError: naming each of them.
    """
    unknown = sorted(name for name in given if name not in allowed)
    if unknown:
        raise ValidationError({_printable(name): "This member is not known here." for name in unknown[:10]})


def name_read(given: dict[str, Any], member: str) -> str:
    """A slug or symbol; whether anything has this name is not asked here.

    Raises:
        ValidationError: it is no text, or too long, or holds a NUL character.
    """
    value = given.get(member)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or "\x00" in value:
        raise ValidationError({member: f"Give a text of 1 to {LONGEST_NAME} characters, without NUL."})
    return value


def count_read(given: dict[str, Any], *, default: int) -> int:
    """The member ``k``: a whole number.

    Raises:
        ValidationError: it is none from 1 to ``MAX_K``.
    """
    value = given.get("k", default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 5.0 is a whole number of JSON
    if type(value) is not int or not 1 <= value <= MAX_K:
        raise ValidationError({"k": f"Give a whole number from 1 to {MAX_K}."})
    return value


def dose_read(given: dict[str, Any]) -> Dose | None:
    """The member ``dose``, or None where it is not given.

    Raises:
        ValidationError: the level is not known.
    """
    if "dose" not in given:
        return None
    try:
        return Dose(given["dose"])
    except ValueError:
        raise ValidationError({"dose": f"Give one of: {', '.join(Dose)}."}) from None


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)[:60]
