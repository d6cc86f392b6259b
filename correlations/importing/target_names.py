"""From the name that an export uses for a target to one HGNC symbol, or to a reason why there is none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from correlations.importing.errors import Reason, RowProblem
from correlations.importing.gene_names import AMBIGUOUS, FAMILIES, GENES, PROCESSES, SEVERAL, NotOneGene

_GREEK = str.maketrans(
    {
        "\u03b1": "alpha",
        "\u03b2": "beta",
        "\u03b3": "gamma",
        "\u03b4": "delta",
        "\u03ba": "kappa",
        "\u03bc": "mu",
    }
)
_JOINTS = re.compile(r"[\s\-_\u2010-\u2015\u2212]+")


def comparable(name: str) -> str:
    """A name without case, spaces, hyphens and Greek letters: 'tnf alpha' and 'TNF-Alpha' are one."""
    return _JOINTS.sub("", unicodedata.normalize("NFKC", name).casefold().translate(_GREEK))


def printable(text: str, limit: int = 80) -> str:
    """Text of a source as an explanation may show it: no control or direction characters, shortened."""
    shown = "".join(sign for sign in text if unicodedata.category(sign)[0] != "C")
    return shown if len(shown) <= limit else f"{shown[:limit]}…"


def _refusals() -> dict[str, tuple[Reason, str, NotOneGene]]:
    wording = (
        (Reason.TARGET_FAMILY, "names a family, not one gene", FAMILIES),
        (Reason.TARGET_SEVERAL_GENES, "names more than one gene", SEVERAL),
        (Reason.TARGET_PROCESS, "names a process, not a gene", PROCESSES),
        (Reason.TARGET_AMBIGUOUS, "can mean more than one gene", AMBIGUOUS),
    )
    return {
        comparable(name): (reason, words, entry)
        for reason, words, entries in wording
        for entry in entries
        for name in entry.names
    }


_REFUSALS = _refusals()
_KNOWN_SYMBOLS = {gene.symbol: gene.name for gene in GENES}
_KNOWN_NAMES = {comparable(name): gene.symbol for gene in GENES for name in (gene.symbol, gene.name, *gene.other_names)}


def approved_name(symbol: str) -> str:
    """The approved name of a gene of the importer's table; empty for others."""
    return _KNOWN_SYMBOLS.get(symbol, "")


class TargetNames:
    """Resolves names against the database's targets and the importer's table. Never guesses."""

    def __init__(self, aliases_by_symbol: Mapping[str, Iterable[str]]) -> None:
        self._symbols = set(aliases_by_symbol)
        self._aliases: dict[str, set[str]] = {}
        for symbol, aliases in aliases_by_symbol.items():
            for alias in (symbol, *aliases):
                self._aliases.setdefault(comparable(alias), set()).add(symbol)

    def resolve(self, name: str) -> str:
        """The HGNC symbol that a name means.

        In this order: a symbol of the catalogue; a name that is known to name no single gene (it beats aliases, so that
        an import says the same whatever aliases a catalogue holds); an alias of the catalogue; the importer's table.

        Raises:
            RowProblem: no single gene is meant, or the name isn't known.
        """
        stripped = name.strip()
        if stripped in self._symbols:
            return stripped
        key = comparable(stripped)
        shown = printable(stripped)
        if key in _REFUSALS:
            reason, words, entry = _REFUSALS[key]
            choice = f"choose a symbol, such as {entry.choices}" if entry.choices else "choose a symbol"
            raise RowProblem(
                reason,
                f"{shown!r} {words} ({entry.what}): {choice}; set it as the target and replay, or dismiss the row.",
            )
        if stripped in _KNOWN_SYMBOLS:
            return stripped
        symbols = self._aliases.get(key, set())
        if len(symbols) > 1:
            raise RowProblem(
                Reason.TARGET_AMBIGUOUS,
                f"{shown!r} is an alias of {', '.join(sorted(symbols))}: set one of these symbols and replay.",
            )
        if symbols:
            return next(iter(symbols))
        if key in _KNOWN_NAMES:
            return _KNOWN_NAMES[key]
        raise RowProblem(
            Reason.TARGET_UNKNOWN,
            f"{shown!r} is no symbol or alias of the catalogue, nor a name that the importer knows: set the current "
            "HGNC symbol, or add the target with this alias to the catalogue, and replay; or dismiss the row.",
        )
