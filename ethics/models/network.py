"""IP networks as PostgreSQL's own ``cidr``, so that the database refuses what is not one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models


class NetworkField(models.Field):
    """A network in CIDR notation, as text: '192.0.2.0/24', '2001:db8::/32', or one address."""

    description = "IP network"

    def db_type(self, connection: Any) -> str:
        return "cidr"

    def from_db_value(self, value: object, expression: object, connection: object) -> str | None:
        return None if value is None else str(value)

    def to_python(self, value: object) -> str | None:
        """The network in its canonical form.

        Raises:
            ValidationError: the value is not a network, or bits are set behind its prefix.
        """
        if value is None:
            return None
        try:
            return str(ipaddress.ip_network(str(value).strip()))
        except ValueError:
            raise ValidationError(
                f"{str(value)[:50]!r} is not a network such as 192.0.2.0/24 or 2001:db8::/32.", code="invalid"
            ) from None


def canonical_networks(texts: Iterable[str]) -> list[str]:
    """Each network once, in the form in which the database gives it back.

    Raises:
        ValidationError: one of them is not a network.
    """
    return list(dict.fromkeys(str(NetworkField().to_python(text)) for text in texts))
