"""``Idempotency-Key``: a repeated POST is known as the same one, and a key can't be used for another body.

What is kept is a digest of the body, never an answer: a repetition is answered afresh, so that a withdrawal in between
counts, and its items are not charged again. It is kept once the request has been charged: what the limits refuse leaves
nothing behind by which it could be repeated for nothing. Of two at the same moment both are charged. Without Redis every
request counts as a first one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from rest_framework.exceptions import APIException, ValidationError

from genomepath.redis_bytes import RedisUnavailable, bytes_get, bytes_set_once

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


@dataclass(frozen=True)
class KeyedRequest:
    """A body that an API key sends to an address, under an idempotency key or none."""

    api_key_prefix: str
    idempotency_key: str | None
    address: str
    body: bytes

    @property
    def name(self) -> str:
        """Under which its digest is kept."""
        return f"idempotency:{self.api_key_prefix}:{self.address}:{self.idempotency_key}"

    @property
    def digest(self) -> bytes:
        """SHA-256 of the body."""
        return hashlib.sha256(self.body).digest()


def repetition_of(request: KeyedRequest) -> Repetition:
    """Whether this API key sent the same body to the address under this idempotency key within the last day.

    Raises:
        OtherBody: it was used for another body.
    """
    if request.idempotency_key is None:
        return Repetition.FIRST
    try:
        kept = bytes_get(request.name)
    except RedisUnavailable:
        return Repetition.FIRST
    if kept is None:
        return Repetition.FIRST
    _refuse_other(kept, request)
    return Repetition.REPEATED


def request_keep(request: KeyedRequest) -> None:
    """Know a request that was charged again for a day.

    Raises:
        OtherBody: another body came under the same idempotency key meanwhile.
    """
    if request.idempotency_key is None:
        return
    try:
        kept = bytes_set_once(request.name, request.digest, KEPT_SECONDS)
    except RedisUnavailable:
        return
    if kept is not None:
        _refuse_other(kept, request)


def _refuse_other(kept: bytes, request: KeyedRequest) -> None:
    if kept != request.digest:
        raise OtherBody
