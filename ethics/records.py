"""Services that write governance records by hand: a row and its audit event in one transaction.

Consents, sacred status, objections, clients and keys have services of their own.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import models, transaction

from ethics import audit
from ethics.community_stewards import refuse_foreign_community
from ethics.models import AuditEvent, Community, GovernedItem, ItemLabel, Label, WithdrawalCause
from ethics.policy import Audience, Basis, Purpose, SacredStatus
from ethics.reactions import react_to_withheld_items
from ethics.reasons import explained
from ethics.stewardship import item_create

ADDED, CHANGED, REMOVED = "added", "changed", "removed"


def governed_item_of(instance: models.Model) -> GovernedItem | None:
    """The governed item that a record is, or belongs to; None for records that no item governs."""
    if isinstance(instance, GovernedItem):
        return instance
    item = getattr(instance, "item", None)
    if isinstance(item, GovernedItem):
        return item
    for owner in ("practice", "correlation"):
        if owner in {field.name for field in instance._meta.fields}:
            return governed_item_of(getattr(instance, owner))
    return None


def subject_of(instance: models.Model) -> str:
    """The identifier under which the log names a record: never a title, which may have to be forgotten later."""
    item = governed_item_of(instance)
    if item is not None:
        return str(item.public_id)
    for name in ("public_id", "symbol", "key", "slug", "code"):
        value = getattr(instance, name, None)
        if value:
            return str(value)
    return f"{instance._meta.label_lower}:{instance.pk}"


def record_change(*, instance: models.Model, action: str, changed_fields: Collection[str]) -> AuditEvent:
    """Append the ``curation.changed`` event of a record; that of a label on an item names the label's code as well.

    The caller writes the record in the same transaction.
    """
    item = governed_item_of(instance)
    community = instance.slug if isinstance(instance, Community) else item.community.slug if item else ""
    return audit.record(
        "curation.changed",
        subjects=[subject_of(instance), *([instance.label.code] if isinstance(instance, ItemLabel) else [])],
        communities=[community] if community else [],
        details={"model": instance._meta.label_lower, "action": action, "fields": sorted(changed_fields)},
    )


@explained
@transaction.atomic
def governance_record_save(
    *, instance: models.Model, changed_fields: Collection[str], created: bool, reason: str = ""
) -> None:
    """Save a community, label, attribution, item or item label. What thereby leaves use is announced.

    Raises:
        ValidationError: nobody states a reason, or a field or database rule is broken; nothing is written.
    """
    _refuse_foreign(instance)
    instance.full_clean()
    before = _in_use(instance)
    instance.save()
    record_change(instance=instance, action=ADDED if created else CHANGED, changed_fields=changed_fields)
    _announce(before - _in_use(instance), instance)


@explained
@transaction.atomic
def governance_record_delete(*, instance: models.Model, reason: str = "") -> None:
    """Remove an item label or another leaf record of governance.

    Raises:
        ValidationError: nobody states a reason.
    """
    _refuse_foreign(instance)
    before = _in_use(instance)
    record_change(instance=instance, action=REMOVED, changed_fields=[])
    item = governed_item_of(instance)
    instance.delete()
    if item is not None:
        _announce(before - _in_use(item), instance)


@explained
@transaction.atomic
def governed_item_add(
    *,
    community: Community,
    display_label: str = "",
    sacred_status: SacredStatus = SacredStatus.NONE,
    basis: Basis = Basis.NONE,
    basis_source: str = "",
    statement: str = "",
    credited_name: str = "",
    protected_names: list[str] | None = None,
    reason: str = "",
) -> GovernedItem:
    """Record an item, sacred ones without any detail.

    Raises:
        ValidationError: nobody states a reason, or a field or database rule is broken; nothing is written.
    """
    refuse_foreign_community(community.pk)
    item = item_create(
        community=community,
        display_label=display_label,
        basis=basis,
        basis_source=basis_source,
        statement=statement,
        credited_name=credited_name,
        sacred_status=sacred_status,
        protected_names=protected_names,
    )
    record_change(instance=item, action=ADDED, changed_fields=["sacred_status"])
    return item


def _refuse_foreign(instance: models.Model) -> None:
    """Hold stewards to their own communities, where the record is a community or belongs to one."""
    item = governed_item_of(instance)
    community_id = instance.pk if isinstance(instance, Community) else item.community_id if item else None
    if community_id is not None:
        refuse_foreign_community(community_id)


def _in_use(instance: models.Model) -> set[UUID]:
    """The items in use for training that a record speaks of: its own, or all that carry it when it is a label."""
    permitted = GovernedItem.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM)
    item = governed_item_of(instance)
    if isinstance(instance, Label):
        spoken_of = permitted.filter(item_labels__label=instance.pk)
    elif item is not None:
        spoken_of = permitted.filter(pk=item.pk)
    else:
        return set()
    return set(spoken_of.values_list("public_id", flat=True))


def _announce(withheld: set[UUID], instance: models.Model) -> None:
    by_label = isinstance(instance, Label | ItemLabel)
    if withheld:
        react_to_withheld_items(withheld, cause=WithdrawalCause.LABEL if by_label else WithdrawalCause.RECORD)
