"""The canonical text of what the log hashes and signs."""

from __future__ import annotations

from collections.abc import Mapping

import orjson


def canonical_text(fields: Mapping[str, object]) -> str:
    """RFC 8785 text: sorted keys, no spaces, UTF-8.

    Keys are ASCII and values hold no floating-point numbers, so that the encoder gives the canonical form.
    """
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
