"""People with roles, and one record of every model, for the tests of the admin."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Model

from correlations.models import Condition, DiseaseAssociation, ImportBatch, QuarantinedRow
from ethics import audit
from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER
from ethics.clients import api_key_create, client_create
from ethics.community_stewards import steward_appoint
from ethics.consent import consent_record
from ethics.models import (
    AlertNote,
    AuditArchive,
    AuditDailyCount,
    AuditHead,
    AuditLeaf,
    AuditNode,
    AuditSigningKey,
    AuditVerification,
    Community,
    CommunitySteward,
    Consent,
    GovernedItem,
    ItemLabel,
    Label,
    PolicyRevision,
    SavedFilter,
    StatusLoweringRequest,
    WithdrawalCase,
    WithdrawalReceipt,
)
from ethics.policy import Audience, ConsentState, LabelRule, Purpose, SacredStatus
from ethics.withdrawal_receipts import withdrawal_receipt_issue
from genomepath.models import ExportRecord, TrainingRun
from tests.factories import (
    make_community,
    make_correlation,
    make_model_version,
    make_practice,
    make_synergy,
    make_target,
    make_tuning_study,
    publish,
)

_numbers = itertools.count(1)


def make_person(
    role: str,
    username: str = "",
    password: str | None = None,
    communities: Iterable[Community] | None = None,
) -> User:
    """A member of the staff who holds one role; without a password, because hashing one takes longer than a test.

    A steward acts for the given communities, for all that there are unless some are given.
    """
    person = User.objects.create_user(
        username or f"{role.replace(' ', '-').lower()}-{next(_numbers)}", password=password, is_staff=True
    )
    person.groups.add(Group.objects.get(name=role))
    if role == COMMUNITY_STEWARD:
        for community in Community.objects.all() if communities is None else communities:
            steward_appoint(user=person, community=community, appointed_by="test")
    return person


def make_consent(item: GovernedItem, state: ConsentState = ConsentState.GRANTED, **fields: object) -> Consent:
    """A consent of the item's community for that item."""
    values: dict[str, Any] = {
        "community": item.community,
        "items": [item],
        "purposes": [Purpose.TRAINING, Purpose.PREDICTION],
        "audiences": [Audience.PLATFORM, Audience.RESEARCH],
        "state": state,
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        "document_reference": "synthetic letter",
        "recorded_by": "test",
        **fields,
    }
    return consent_record(**values)


def make_sacred(protected_name: str) -> GovernedItem:
    """A sacred placeholder."""
    return GovernedItem.objects.create(
        community=make_community(), sacred_status=SacredStatus.SACRED.value, protected_names=[protected_name]
    )


def make_label(rule: LabelRule = LabelRule.NONE) -> Label:
    """A label of a synthetic vocabulary."""
    return Label.objects.create(
        code=f"TK-{next(_numbers)}",
        kind="TK",
        name=f"Label {rule.value}",
        meaning="synthetic meaning",
        source_url="https://example.org/label",
        rule=rule.value,
    )


def make_withdrawal_case(item: GovernedItem, **fields: object) -> WithdrawalCase:
    """An open case over an item, with one step."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    case = WithdrawalCase.objects.create(
        **{
            "community": item.community,
            "cause": "objected",
            "item_public_ids": [item.public_id],
            "opened_at": moment,
            "deadline_at": moment,
            **fields,
        }
    )
    case.steps.create(what="answer_cache.purged", where="answer cache", counts={"answers": 1}, done_at=moment)
    return case


def make_receipt(case: WithdrawalCase) -> WithdrawalReceipt:
    """The receipt that is due for a case."""
    receipt = withdrawal_receipt_issue(case=case)
    assert receipt is not None
    return receipt


def make_stewardship(community: Community) -> CommunitySteward:
    """A steward of one community."""
    person = make_person(COMMUNITY_STEWARD, communities=[community])
    return CommunitySteward.objects.get(user=person)


def make_lowering_request(item: GovernedItem) -> StatusLoweringRequest:
    """An open proposal to lower the status of an item, which need not be as protected as it says."""
    return StatusLoweringRequest.objects.create(
        item=item,
        from_status=SacredStatus.RESTRICTED.value,
        to_status=SacredStatus.NONE.value,
        reason="synthetic reason",
        proposed_by="a maker",
        proposed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def make_quarantined_row(**fields: object) -> QuarantinedRow:
    """An open row of a synthetic import."""
    batch, _ = ImportBatch.objects.get_or_create(
        kind="synthetic", source_sha256="a" * 64, defaults={"started_by": "test", "report": {"rows": 1}}
    )
    return QuarantinedRow.objects.create(
        **{
            "batch": batch,
            "file_name": "synthetic.json",
            "row_number": next(_numbers),
            "row_key": "ROW_1",
            "reason": "unknown_target",
            "explanation": "No target of that name.",
            "raw": '{"synthetic": true}',
            **fields,
        }
    )


def _log_records() -> list[Model]:
    """An event with its reason and actor, and rows of a tree, which no sealer has made."""
    event = audit.record("identity.shredded", subjects=["synthetic"], reason="synthetic reason")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    key = AuditSigningKey.objects.create(key_id="0" * 16, public_key=bytes(32), created_at=moment)
    return [
        event, event.reason_record, event.actor, key,
        AuditLeaf.objects.create(index=0, event_id=event.event_id, leaf_hash=bytes(32)),
        AuditNode.objects.create(level=8, index=0, hash=bytes(32)),
        AuditHead.objects.create(
            tree_size=1, root_hash=bytes(32), signed_at=moment, key=key, signature=bytes(64)
        ),
        AuditArchive.objects.create(
            first_index=0, end_index=1, file_name="synthetic.gz", size_bytes=1, sha256="0" * 64, archived_at=moment
        ),
        AuditVerification.objects.create(tree_size=1, started_at=moment, finished_at=moment, events=1, ok=True),
        AuditDailyCount.objects.create(day=moment.date(), event_type=event.event_type, times=1),
        AlertNote.objects.create(
            event_id=event.event_id, alert_key="sacred:synthetic", kind="sacred", seen_until=moment, author=event.actor,
            written_at=moment,
        ),
        SavedFilter.objects.create(owner=make_person(COMPLIANCE_OFFICER), name="synthetic", terms={"actor": "test"}),
    ]  # fmt: skip


def records_of_every_model() -> dict[str, Model]:
    """One record of every model of the three apps, all open to curation, by model label."""
    practice, target = make_practice(), make_target()
    correlation = make_correlation(practice, target)
    link = correlation.evidence_links.create(evidence=practice.sources.get())
    label = make_label()
    consent = make_consent(practice.item)
    api_client = client_create(organisation="Synthetic dispensary", audience=Audience.RESEARCH)
    key, _ = api_key_create(client=api_client, name="synthetic")
    version = make_model_version(state="candidate")
    publish(version, [practice], [target])
    row = make_quarantined_row()
    case = make_withdrawal_case(practice.item)
    records: list[Any] = [
        practice, target, correlation, link, label, consent, api_client, key, version, row, row.batch,
        practice.item, practice.item.community, practice.item.attribution, consent.consent_items.get(),
        practice.practice_indications.get(), practice.dosage_profiles.first(), practice.sources.get(),
        Condition.objects.get(), make_synergy(target, make_target()), version.predictions.first(),
        DiseaseAssociation.objects.create(target=target, name="synthetic disease", source="synthetic"),
        ItemLabel.objects.create(item=practice.item, label=label),
        TrainingRun.objects.create(requested_by="test", preset="small"),
        PolicyRevision.objects.get(), case, case.steps.get(), make_receipt(case),
        make_stewardship(practice.item.community), make_lowering_request(practice.item),
        ExportRecord.objects.create(
            what="training set",
            recipient="Synthetic recipient",
            data_sha256="0" * 64,
            item_public_ids=[uuid.uuid4()],
            purpose=Purpose.EXPORT.value,
            audiences=[Audience.RESEARCH.value],
            exported_by="test",
        ),
        (study := make_tuning_study()), study.points.get(),
        *_log_records(),
    ]  # fmt: skip
    return {record._meta.label_lower: record for record in records}
