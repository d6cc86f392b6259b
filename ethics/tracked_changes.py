"""Reads pghistory's event tables for ``ethics.history``, through the gate of the tracked models' admin pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pghistory.models
from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    JSONField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from ethics.history import SHOWN, FieldChange, Person, RecordChange, register_history_source
from ethics.models.audit_personal import SHREDDED
from ethics.policy import SacredStatus

_VALUE_LENGTH = 200
_NEVER_SHOWN = frozenset({"id", "created_at", "updated_at"})


@dataclass(frozen=True)
class TrackedModel:
    """A model with field history, and the gate of its rows.

    ``item_path`` leads from a row of the history to its governed item, and is empty where no item governs the model.
    ``shows_withheld`` opens withheld items to those who answer for them, as on their admin page; of a sacred one only the
    status is shown, whatever the row said before. ``open_records`` is the condition under which a person may see a record
    that several items share; a record that is gone meets none.
    """

    model: type[Model]
    item_path: str = ""
    shows_withheld: bool = False
    open_records: Callable[[Person], Q] | None = None
    hidden_fields: frozenset[str] = frozenset()

    @property
    def events(self) -> Any:
        """The model of the history's rows."""
        return self.model._meta.get_field("events").related_model


@dataclass(frozen=True)
class _Version:
    """A row of the history, with what the gate says of it to the person who asks."""

    values: Mapping[str, Any]
    metadata: Mapping[str, Any]
    record_key: str
    is_open: bool
    is_sacred: bool


_tracked: list[TrackedModel] = []


def register_tracked_models(*entries: TrackedModel) -> None:
    """Make an app's tracked models known, at start-up. All apps' are looked up together, to save queries."""
    _tracked.extend(entry for entry in entries if entry not in _tracked)


@register_history_source
def tracked_changes_of(request_id: str, person: Person) -> Iterator[RecordChange]:
    """The changes of a request in these models, in two queries however many tables they stand in."""
    found = _found(_tracked, request_id)
    concerned = [entry for entry in _tracked if entry.model._meta.label in found]
    versions = _versions(concerned, found, person)
    for entry in concerned:
        for key, previous in found[entry.model._meta.label].items():
            yield _change(
                entry, versions[entry.model._meta.label, key], versions.get((entry.model._meta.label, previous))
            )


def text_changes(previous: Any, event: Any, names: dict[str, str]) -> Iterator[FieldChange]:
    """The fields in which a version differs from the one before it; ``names`` maps attributes to what people read."""
    after = {name: getattr(event, name, None) for name in names}
    before = {name: getattr(previous, name, None) for name in names} if previous is not None else None
    return value_changes(before, after, names)


def value_changes(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[FieldChange]:
    """The same of values by attribute; ``before`` is None for a first version."""
    for name, label in names.items():
        old, new = before.get(name) if before is not None else None, after.get(name)
        if old != new and not (before is None and new in (None, "", [], {})):
            yield FieldChange(label, _text(old), _text(new))


def _found(tracked: Sequence[TrackedModel], request_id: str) -> dict[str, dict[int, int | None]]:
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
    return versions


def _earlier(entry: TrackedModel) -> QuerySet:
    same_record = entry.events._base_manager.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
    earlier: QuerySet = same_record.order_by("-pgh_id").values("pgh_id")[:1]
    return earlier


def _versions(
    concerned: Sequence[TrackedModel], found: Mapping[str, Mapping[int, int | None]], person: Person
) -> dict[tuple[str, int | None], _Version]:
    """The rows that the request wrote and those before them, by model and key."""
    arms = []
    for entry in concerned:
        wanted = {key for pair in found[entry.model._meta.label].items() for key in pair if key is not None}
        row = RawSQL(f'to_jsonb("{entry.events._meta.db_table}")', [], JSONField())  # noqa: S611  a table of ours
        arms.append(
            _with_gate(entry, person)
            .filter(pgh_id__in=wanted)
            .annotate(model_label=Value(entry.model._meta.label), row=row, metadata=F("pgh_context__metadata"))
            .values_list("model_label", "pgh_id", "row", "metadata", "record_key", "is_open", "is_sacred")
        )
    rows = arms[0].union(*arms[1:], all=True) if arms else ()
    return {(label, key): _Version(row, metadata or {}, *gate) for label, key, row, metadata, *gate in rows}


def _change(entry: TrackedModel, version: _Version, previous: _Version | None) -> RecordChange:
    withheld = not version.is_open or (previous is not None and not previous.is_open)
    names = {} if withheld else _names(entry, hides_detail=version.is_sacred)
    return RecordChange(
        record_type=str(entry.model._meta.verbose_name),
        record_key=version.record_key,
        kind=version.values["pgh_label"],
        at=datetime.fromisoformat(version.values["pgh_created_at"]),
        actor=str(version.metadata.get("actor", "system")) or SHREDDED,
        role=str(version.metadata.get("role", "")),
        reason="" if withheld else str(version.metadata.get("reason", "")),
        fields=tuple(value_changes(previous.values if previous else None, version.values, names)),
        withheld=withheld,
    )


def _with_gate(entry: TrackedModel, person: Person) -> Any:
    """The history's rows, each with whether the person may see it and whether its item is sacred."""
    from ethics.admin.visibility import curated_items, visible_items

    rows = entry.events._base_manager.all()
    if not entry.item_path:
        is_open = _boolean(True) if entry.open_records is None else _shared_and_open(entry, entry.open_records(person))
        return rows.annotate(is_open=is_open, is_sacred=_boolean(False), record_key=_text_of("pgh_obj_id"))
    items = visible_items(person) if entry.shows_withheld else curated_items(person)
    return rows.annotate(
        is_open=ExpressionWrapper(Q(**{f"{entry.item_path}__in": items}), BooleanField()),
        is_sacred=ExpressionWrapper(
            Q(**{f"{entry.item_path}__sacred_status": SacredStatus.SACRED.value}), BooleanField()
        ),
        record_key=_text_of(f"{entry.item_path}__public_id"),
    )


def _shared_and_open(entry: TrackedModel, condition: Q) -> Exists:
    return Exists(entry.model._default_manager.filter(condition, pk=OuterRef("pgh_obj_id")))


def _text_of(path: str) -> Cast:
    return Cast(F(path), TextField())


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
