"""The register of exports: who was given what, and what they are told when something in it is withdrawn."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ethics import audit
from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose
from ethics.revisions import policy_hold
from genomepath.export_uses import Use, items_allowed, uses_of_export
from genomepath.models import ExportRecord

NOTICE = (
    "To {recipient}: on {day} you were given the {what} with the data checksum {checksum} (export {export}). "
    "{count} of its records may no longer be used, because the community that holds the knowledge has taken it back, or "
    "its consent has ended. Please stop using this export, delete it with every copy and everything derived from it, and "
    "confirm the deletion. A replacement without these records can be requested. The records concerned: {items}."
)
WITHHELD_MEANWHILE = (
    "Something in it went out of use while the files were made, so nothing is handed out. Run the command again."
)


@transaction.atomic
def export_record_add(
    *,
    what: str,
    recipient: str,
    data_sha256: str,
    item_public_ids: Collection[UUID],
    audiences: Collection[Audience],
    also_for: Collection[Use] = (),
) -> ExportRecord:
    """Note an export before its files are handed out, if every item may be exported to each audience, and used as
    ``also_for`` says, at this moment. A decision against it is either known here, or finds the record.

    Raises:
        ValidationError: an item may not be handed out any more, no recipient, or a field that does not fit.
    """
    policy_hold()
    uses = (*uses_of_export(audiences), *also_for)
    if items_allowed(uses, timezone.now(), item_public_ids) != set(item_public_ids):
        raise ValidationError(WITHHELD_MEANWHILE)
    record = ExportRecord(
        what=what,
        recipient=recipient.strip(),
        data_sha256=data_sha256,
        purpose=Purpose.EXPORT.value,
        audiences=[audience.value for audience in audiences],
        item_public_ids=sorted(item_public_ids),
        exported_by=audit.current_context().actor_name,
    )
    record.full_clean()
    record.save()
    communities = GovernedItem.objects.filter(public_id__in=item_public_ids).values_list("community__slug", flat=True)
    audit.record(
        "export.handed_out",
        subjects=[record.public_id],
        communities=set(communities),
        purpose=Purpose.EXPORT,
        details={
            "what": what,
            "data_sha256": data_sha256,
            "items": len(record.item_public_ids),
            "audiences": record.audiences,
        },
    )
    return record


def export_notices(public_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """The exports that held one of the items, with recipient and the text of the notice, for a receipt."""
    withdrawn = set(public_ids)
    return [_notice(record, withdrawn) for record in exports_with(public_ids)]


def exports_with(public_ids: Collection[UUID]) -> list[ExportRecord]:
    """The exports that held one of the items, oldest first."""
    return list(ExportRecord.objects.filter(item_public_ids__overlap=list(public_ids)).order_by("pk"))


def _notice(record: ExportRecord, withdrawn: set[UUID]) -> dict[str, Any]:
    items = sorted(str(public_id) for public_id in withdrawn.intersection(record.item_public_ids))
    return {
        "export": str(record.public_id),
        "what": record.what,
        "recipient": record.recipient,
        "data_sha256": record.data_sha256,
        "exported_at": record.exported_at.isoformat(timespec="seconds"),
        "items": items,
        "notice": NOTICE.format(
            recipient=record.recipient,
            day=f"{record.exported_at:%Y-%m-%d}",
            what=record.what,
            checksum=record.data_sha256,
            export=record.public_id,
            count=len(items),
            items=", ".join(items),
        ),
    }
