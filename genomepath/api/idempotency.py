"""``Idempotency-Key``: a repeated POST is known as the same one, and a key can't be used for another body.

What is kept is a digest of the body, never an answer: a repetition is answered afresh, so that a withdrawal in between
counts, and its items are not charged again. Without Redis every request counts as a first one.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

from rest_framework.exceptions import APIException, ValidationError

from genomepath.redis_bytes import RedisUnavailable, bytes_set_once

KEPT_SECONDS = 86_400
KEY_FORM = r"[A-Za-z0-9._:\-]{8,128}"
_FORM = re.compile(KEY_FORM, re.ASCII)


class OtherBody(APIException):
    """422: the key came before, with another body."""

    status_code = 422
    default_detail = "This Idempotency-Key was used for another body. Take a new one."
    default_code = "idempotency_key_reused"


class Repetition(StrEnum):
    """Whether the request came before."""

    FIRST = "first"
    REPEATED = "repeated"


def idempotency_key_read(given: str | None) -> str | None:
    """The key as the header gives it, bare or quoted; None where the header is missing.

    Raises:
        ValidationError: the key has another form.
    """
    if given is None:
        return None
    text = given.strip().strip('"')
    if not _FORM.fullmatch(text):
        raise ValidationError(
            {"Idempotency-Key": "Give 8 to 128 letters, digits, dots, colons, hyphens or underscores."}
        )
    return text


def repetition_of(*, api_key_prefix: str, idempotency_key: str | None, address: str, body: bytes) -> Repetition:
    """Whether this API key sent the same body to the address under this idempotency key within the last day.

    Raises:
        OtherBody: it was used for another body.
    """
    if idempotency_key is None:
        return Repetition.FIRST
    digest = hashlib.sha256(body).digest()
    try:
        kept = bytes_set_once(f"idempotency:{api_key_prefix}:{address}:{idempotency_key}", digest, KEPT_SECONDS)
    except RedisUnavailable:
        return Repetition.FIRST
    if kept is None:
        return Repetition.FIRST
    if kept != digest:
        raise OtherBody
    return Repetition.REPEATED
