"""Services over governed items: status, objection."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ethics import audit
from ethics.community_stewards import refuse_foreign_community
from ethics.models import Attribution, Community, GovernedItem, WithdrawalCause
from ethics.models.status_lowering import STRICTNESS
from ethics.policy import Basis, SacredStatus
from ethics.reactions import react_to_withheld_items
from ethics.reasons import change_reason, explained


@explained
@transaction.atomic
def item_set_status(
    *, item: GovernedItem, status: SacredStatus, protected_names: list[str] | None = None, reason: str = ""
) -> None:
    """Raise the sacred status of an item. A sacred item keeps no label and no basis, only protected names.

    Raises:
        ValidationError: nobody states a reason.
        ValidationError: the status would be lowered, which needs a second person (``ethics.status_lowering``).
    """
    locked = GovernedItem.objects.select_for_update().select_related("community").get(pk=item.pk)
    refuse_foreign_community(locked.community_id)
    before = SacredStatus(locked.sacred_status)
    if STRICTNESS.index(status) < STRICTNESS.index(before):
        raise ValidationError({"sacred_status": "A sacred status can only be raised here."})
    if status == SacredStatus.SACRED:
        names = [locked.display_label, *(protected_names or []), *locked.protected_names]
        locked.protected_names = sorted({name for name in names if name})
        locked.display_label, locked.basis, locked.basis_source = "", Basis.NONE.value, ""
    locked.sacred_status = status.value
    locked.full_clean()
    locked.save()
    audit.record(
        "item.status_changed",
        subjects=[locked.public_id],
        communities=[locked.community.slug],
        details={"from": before.value, "to": status.value},
    )
    if status != before:
        react_to_withheld_items([locked.public_id], cause=WithdrawalCause.STATUS)


@transaction.atomic
def item_record_objection(*, item: GovernedItem, reference: str, reason: str) -> None:
    """Record that the community objects to any use of an item. It beats every basis of use.

    Raises:
        ValidationError: no reference to the objection, no reason or one that is too long.
    """
    missing = {"reference": "Say where the objection was made.", "reason": "Say why the community objects."}
    given = {"reference": reference.strip(), "reason": reason.strip()}
    if not all(given.values()):
        raise ValidationError({name: message for name, message in missing.items() if not given[name]})
    locked = GovernedItem.objects.select_for_update().select_related("community").get(pk=item.pk)
    refuse_foreign_community(locked.community_id)
    locked.objection_at = timezone.now()
    locked.objection_reference = reference.strip()
    locked.full_clean()
    with change_reason(reason):
        locked.save()
        audit.record("item.objected", subjects=[locked.public_id], communities=[locked.community.slug])
    react_to_withheld_items([locked.public_id], cause=WithdrawalCause.OBJECTED)


def item_create(
    *,
    community: Community,
    display_label: str,
    basis: Basis = Basis.NONE,
    basis_source: str = "",
    statement: str = "",
    credited_name: str = "",
    sacred_status: SacredStatus = SacredStatus.NONE,
    protected_names: list[str] | None = None,
) -> GovernedItem:
    """Create a governed item and, where a statement is given, its attribution. The caller records its own event.

    Raises:
        ValidationError: a field or database rule is broken, or a sacred item is given a detail.
    """
    if sacred_status == SacredStatus.SACRED:
        details = {
            "display_label": display_label,
            "basis": "" if basis == Basis.NONE else basis.value,
            "basis_source": basis_source,
            "statement": statement,
            "credited_name": credited_name,
        }
        if any(details.values()):
            message = "A sacred item holds a community, a status and protected names, nothing else."
            raise ValidationError({name: message for name, detail in details.items() if detail})
    item = GovernedItem(
        community=community,
        display_label=display_label,
        basis=basis.value,
        basis_source=basis_source,
        sacred_status=sacred_status.value,
        protected_names=protected_names or [],
    )
    item.full_clean()
    item.save()
    if statement:
        attribution = Attribution(item=item, statement=statement, credited_name=credited_name)
        attribution.full_clean()
        attribution.save()
    return item
