"""Reads pghistory's event tables for ``ethics.history``, through the gate of the tracked models' admin pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pghistory.models
from django.db.models import BooleanField, ExpressionWrapper, F, Model, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.fields.json import KeyTextTransform

from ethics.history import SHOWN, FieldChange, Person, RecordChange, register_history_source
from ethics.policy import SacredStatus

_VALUE_LENGTH = 200
_NEVER_SHOWN = frozenset({"id", "created_at", "updated_at"})


@dataclass(frozen=True)
class TrackedModel:
    """A model with field history, and the gate of its rows.

    ``item_path`` leads from a row of the history to its governed item, and is empty where no item governs the model.
    ``shows_withheld`` opens withheld items to those who answer for them, as on their admin page; of a sacred one only the
    status is shown, whatever the row said before.
    """

    model: type[Model]
    item_path: str = ""
    shows_withheld: bool = False
    hidden_fields: frozenset[str] = frozenset()

    @property
    def events(self) -> Any:
        """The model of the history's rows."""
        return self.model._meta.get_field("events").related_model


@dataclass(frozen=True)
class _Found:
    """The versions that a request wrote, by key, with the key of the version before each."""

    previous: dict[int, int | None]


_tracked: list[TrackedModel] = []


def register_tracked_models(*entries: TrackedModel) -> None:
    """Make an app's tracked models known, at start-up. All apps' are looked up together, to save queries."""
    _tracked.extend(entry for entry in entries if entry not in _tracked)


@register_history_source
def tracked_changes_of(request_id: str, person: Person) -> Iterator[RecordChange]:
    """The changes of a request in these models. One query finds the tables concerned; each takes one more."""
    found = _found(_tracked, request_id)
    for entry in _tracked:
        if entry.model._meta.label in found:
            yield from _changes_of(entry, found[entry.model._meta.label], person)


def text_changes(previous: Any, event: Any, names: dict[str, str]) -> Iterator[FieldChange]:
    """The fields in which a version differs from the one before it; ``names`` maps attributes to what people read."""
    for name, label in names.items():
        after = getattr(event, name, None)
        before = getattr(previous, name, None) if previous is not None else None
        if before != after and not (previous is None and after in (None, "", [], {})):
            yield FieldChange(label, _text(before), _text(after))


def _found(tracked: Sequence[TrackedModel], request_id: str) -> dict[str, _Found]:
    contexts = (
        pghistory.models.Context.objects.annotate(of_request=KeyTextTransform("request_id", "metadata"))
        .filter(of_request=request_id)
        .values("pk")
    )
    arms = [
        entry.events._base_manager.filter(pgh_context__in=contexts)
        .annotate(model_label=Value(entry.model._meta.label), previous_id=Subquery(_earlier(entry)))
        .values_list("model_label", "pgh_id", "previous_id")
        for entry in tracked
    ]
    versions: defaultdict[str, dict[int, int | None]] = defaultdict(dict)
    for label, key, previous in arms[0].union(*arms[1:], all=True).order_by("pgh_id")[:SHOWN]:
        versions[label][key] = previous
    return {label: _Found(previous) for label, previous in versions.items()}


def _earlier(entry: TrackedModel) -> QuerySet:
    same_record = entry.events._base_manager.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
    earlier: QuerySet = same_record.order_by("-pgh_id").values("pgh_id")[:1]
    return earlier


def _changes_of(entry: TrackedModel, found: _Found, person: Person) -> Iterator[RecordChange]:
    wanted = {key for pair in found.previous.items() for key in pair if key is not None}
    rows = (
        _with_gate(entry, person).filter(pgh_id__in=wanted).select_related("pgh_context").in_bulk(field_name="pgh_id")
    )
    for key, previous_key in found.previous.items():
        event, previous = rows[key], rows.get(previous_key)
        withheld = not event.is_open or (previous is not None and not previous.is_open)
        names = {} if withheld else _names(entry, hides_detail=event.is_sacred)
        metadata = event.pgh_context.metadata if event.pgh_context else {}
        yield RecordChange(
            record_type=str(entry.model._meta.verbose_name),
            record_key=str(event.record_key),
            kind=event.pgh_label,
            at=event.pgh_created_at,
            actor=str(metadata.get("actor", "system")),
            role=str(metadata.get("role", "")),
            reason="" if withheld else str(metadata.get("reason", "")),
            fields=tuple(text_changes(previous, event, names)),
            withheld=withheld,
        )


def _with_gate(entry: TrackedModel, person: Person) -> Any:
    """The history's rows, each with whether the person may see it and whether its item is sacred."""
    from ethics.admin.visibility import curated_items, visible_items

    rows = entry.events._base_manager.all()
    if not entry.item_path:
        return rows.annotate(is_open=_boolean(True), is_sacred=_boolean(False), record_key=F("pgh_obj_id"))
    items = visible_items(person) if entry.shows_withheld else curated_items(person)
    return rows.annotate(
        is_open=ExpressionWrapper(Q(**{f"{entry.item_path}__in": items}), BooleanField()),
        is_sacred=ExpressionWrapper(
            Q(**{f"{entry.item_path}__sacred_status": SacredStatus.SACRED.value}), BooleanField()
        ),
        record_key=F(f"{entry.item_path}__public_id"),
    )


def _boolean(value: bool) -> Value:
    return Value(value, output_field=BooleanField())


def _names(entry: TrackedModel, *, hides_detail: bool) -> dict[str, str]:
    hidden = _NEVER_SHOWN | entry.hidden_fields
    fields = [field for field in entry.model._meta.concrete_fields if field.name not in hidden]
    return {
        field.attname: str(field.verbose_name) for field in fields if not hides_detail or field.name == "sacred_status"
    }


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _VALUE_LENGTH else f"{text[:_VALUE_LENGTH]}…"
