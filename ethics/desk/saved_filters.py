"""The filters that an officer keeps. The desk offers them to nobody else, and the log notes that they were kept."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from ethics import audit
from ethics.models import SavedFilter

NAME_LENGTH = 80
MOST = 50


@transaction.atomic
def filter_save(*, owner: User, name: str, terms: Mapping[str, str]) -> SavedFilter:
    """Keep search terms under a name; the same name again replaces them.

    Raises:
        ValidationError: no name or a bad one, no terms, or more filters than a list can show.
    """
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise ValidationError({"name": f"Give the filter a name of at most {NAME_LENGTH} characters."})
    if not terms:
        raise ValidationError({"name": "Nothing is filtered. Search for something first."})
    kept = SavedFilter.objects.select_for_update().filter(owner=owner)
    if kept.exclude(name=name).count() >= MOST:
        raise ValidationError({"name": f"You keep {MOST} filters already; remove one first."})
    saved, _ = SavedFilter.objects.update_or_create(owner=owner, name=name, defaults={"terms": dict(terms)})
    audit.record("filter.saved", subjects=[saved.public_id])
    return saved


@transaction.atomic
def filter_remove(*, saved: SavedFilter) -> None:
    """Forget a kept filter."""
    audit.record("filter.removed", subjects=[saved.public_id])
    saved.delete()
