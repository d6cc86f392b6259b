"""Keeps row content out of texts that people and logs see.

PostgreSQL puts the refused row into the DETAIL of an error ("Failing row contains (...)", "Key (title)=(...) already
exists."), and with it whatever the row holds. CONTEXT and STATEMENT lines can quote values as well.
"""

from __future__ import annotations

import logging
import re

# What is quoted may run over several lines, blank ones among them: it ends only where a traceback goes on.
_QUOTE = re.compile(
    r"^(?P<label>[ \t]*(?:DETAIL|CONTEXT|STATEMENT|QUERY)):.*?"
    r"(?=^HINT:|^Traceback \(|^The above exception|^During handling|\Z)",
    re.DOTALL | re.MULTILINE,
)


def without_row_content(text: str) -> str:
    """The text with what follows DETAIL, CONTEXT, STATEMENT and QUERY taken out."""
    return _QUOTE.sub(r"\g<label>: withheld, it can quote a row\n", text)


class RedactingFormatter(logging.Formatter):
    """A log formatter whose output never quotes a refused row."""

    def format(self, record: logging.LogRecord) -> str:
        return without_row_content(super().format(record))
