"""Tells citations that somebody can look up from placeholders.

A placeholder is a PubMed id of running or repeated digits (12345678, 45678901, 11111111), a DOI of the reserved
examples, an ISBN whose check digit is wrong, or a tag that names no work ('literature_review', 'ethnobotany_database').
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

_PMID = re.compile(r"(?:PMID[:\s]*|https?://pubmed\.ncbi\.nlm\.nih\.gov/)(\d{1,9})/?", re.IGNORECASE)
_DOI = re.compile(r"(?:doi[:\s]*|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_ISBN = re.compile(r"ISBN[:\s]*([\dXx\- ]{10,17})", re.IGNORECASE)
# Words that stand where a citation should, without naming a work.
_EMPTY_WORDS = frozenset(
    {"", "n/a", "na", "none", "null", "unknown", "tbd", "pending", "various", "placeholder", "example"}
)
_TAG = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)*")
_EXAMPLE_DOI_PREFIXES = ("10.1000/", "10.1234/", "10.12345/", "10.5555/")
_TEXT_LIMIT = 2000


@dataclass(frozen=True)
class Citation:
    """A citation that can be looked up. ``key`` is stable over spellings of the same identifier."""

    key: str
    reference: str
    pmid: str = ""
    doi: str = ""


def read_citation(text: str) -> Citation | None:
    """The citation, or None for a placeholder. Nothing is invented: the reference stays as it was given."""
    given = " ".join(text.split())
    if len(given) > _TEXT_LIMIT or given.lower() in _EMPTY_WORDS or _TAG.fullmatch(given):
        return None
    if match := _PMID.fullmatch(given):
        pmid = match.group(1).lstrip("0")
        return None if _is_made_up(pmid) else Citation(f"pmid:{pmid}", f"PMID:{pmid}", pmid=pmid)
    if match := _DOI.fullmatch(given):
        doi = match.group(1).lower()
        is_example = doi.startswith(_EXAMPLE_DOI_PREFIXES) or len(doi) > 120
        return None if is_example else Citation(f"doi:{doi}"[:100], f"doi:{doi}", doi=doi)
    if match := _ISBN.fullmatch(given):
        isbn = re.sub(r"[\- ]", "", match.group(1)).upper()
        return Citation(f"isbn:{isbn}", f"ISBN:{isbn}") if _isbn_checks(isbn) else None
    digits = re.sub(r"\D", "", given)
    return None if len(digits) >= 6 and _is_made_up(digits) else Citation(_text_key(given), given)


def _text_key(text: str) -> str:
    return text.lower() if len(text) <= 80 else f"text:{sha256(text.lower().encode()).hexdigest()[:32]}"


def _is_made_up(digits: str) -> bool:
    """Repeated or running digits, upwards or downwards, with 0 after 9."""
    if not digits:
        return True
    if len(digits) < 5:
        return False
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    return steps in ({0}, {1}, {9})


def _isbn_checks(isbn: str) -> bool:
    if re.fullmatch(r"\d{9}[\dX]", isbn):
        values = [10 if sign == "X" else int(sign) for sign in isbn]
        return sum(value * weight for value, weight in zip(values, range(10, 0, -1), strict=True)) % 11 == 0
    if re.fullmatch(r"97[89]\d{10}", isbn):
        return sum(int(sign) * (3 if place % 2 else 1) for place, sign in enumerate(isbn)) % 10 == 0
    return False
