"""The canonical text of what the log hashes and signs."""

from __future__ import annotations

import json
from collections.abc import Mapping

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_text(fields: Mapping[str, object]) -> str:
    """RFC 8785 text: sorted keys, no spaces, UTF-8.

    Keys are ASCII and values hold no floating-point numbers, so that Python's own encoder gives the canonical form.
    """
    return _ENCODER.encode(fields)
