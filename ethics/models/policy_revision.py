"""Numbers that rise with every change of governance or of API keys, so that nothing cached before can count after it."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models


class PolicyRevision(models.Model):
    """One row. Triggers on the governed tables raise it in the transaction of the change, raw SQL included."""

    SINGLETON_ID = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON_ID)
    value = models.PositiveBigIntegerField(default=1)
    client_value = models.PositiveBigIntegerField(
        default=1, help_text="Rises with every change of an API client or key, so that no cached key outlives it."
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "policy revision"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="policy_revision_is_one_row")]

    def __str__(self) -> str:
        return f"policy revision {self.value}"

    @classmethod
    def current(cls) -> int:
        """The revision that holds now."""
        return int(cls.objects.values_list("value", flat=True).get(pk=cls.SINGLETON_ID))


EVERY_CHANGE = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate


def raises_policy_revision(operation: Any = EVERY_CHANGE) -> Any:
    """A statement-level trigger for a governed table; give it in ``Meta.triggers``."""
    return pgtrigger.Trigger(
        name="raise_policy_revision",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        func="UPDATE ethics_policyrevision SET value = value + 1, changed_at = now() WHERE id = 1; RETURN NULL;",
    )


def raises_client_revision(operation: Any) -> Any:
    """The same for the tables of API clients and keys: verified keys are cached under ``client_value``."""
    return pgtrigger.Trigger(
        name="raise_client_revision",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        func="UPDATE ethics_policyrevision SET client_value = client_value + 1 WHERE id = 1; RETURN NULL;",
    )
