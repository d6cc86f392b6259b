"""A number that rises with every change of what answers say of the catalogue, so that what is cached can be told outdated.

Triggers on the catalogue's tables raise it in the transaction of the change, raw SQL included (migration 0007). It is a sum:
a session raises the summand of its process number alone, so that curators and imports do not wait for each other, as they
would for a single row. The sum counts committed changes only and never falls.
"""

from __future__ import annotations

TOLD_BY = "SELECT coalesce(sum(value), 0)::bigint FROM correlations_cataloguerevision"
"""The revision, for ``ethics.revisions``, which asks for all of them at once."""
