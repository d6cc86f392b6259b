"""Cursors that tell nothing: a row's number would show by its gaps how many rows are withheld, so it is encrypted.

AES-SIV (RFC 5297) is deterministic, so that equal pages keep equal ETags, and authenticated: nobody can ask for a place
that no page gave.
"""

from __future__ import annotations

import base64
import re
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.utils.crypto import salted_hmac
from rest_framework.pagination import Cursor

# One length for every place: direction, whether there is a row's number, offset, number.
_PLACE = struct.Struct(">??Iq")
CURSOR_FORM = r"[A-Za-z0-9_-]{40}"
_FORM = re.compile(CURSOR_FORM, re.ASCII)


class NoCursor(Exception):
    """The text is not a cursor of this list."""


def cursor_seal(cursor: Cursor, address: str) -> str:
    """The text of a cursor of the list at the address."""
    place = _PLACE.pack(cursor.reverse, cursor.position is not None, cursor.offset, int(cursor.position or 0))
    return base64.urlsafe_b64encode(_cipher().encrypt(place, [address.encode()])).decode()


def cursor_open(text: str, address: str) -> Cursor:
    """The cursor that ``cursor_seal`` made this text of.

    Raises:
        NoCursor: it made no such text, or for another list.
    """
    if not _FORM.fullmatch(text):
        raise NoCursor
    try:
        place = _cipher().decrypt(base64.urlsafe_b64decode(text), [address.encode()])
    except InvalidTag:
        raise NoCursor from None
    reverse, has_position, offset, position = _PLACE.unpack(place)
    return Cursor(offset=offset, reverse=reverse, position=str(position) if has_position else None)  # type: ignore[arg-type]  # a text, as DRF compares it


def _cipher() -> AESSIV:
    return AESSIV(salted_hmac("genomepath.api.cursors", "", algorithm="sha256").digest())
