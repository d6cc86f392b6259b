"""What the ethics app stores: communities, governed items, labels, consents, attributions, the audit log, API clients."""

from ethics.models.audit_archive import AuditArchive
from ethics.models.audit_count import AuditDailyCount
from ethics.models.audit_event import AuditEvent
from ethics.models.audit_personal import AuditIdentity, AuditReason
from ethics.models.audit_tree import AuditHead, AuditLeaf, AuditNode, AuditSigningKey, AuditVerification
from ethics.models.client import ApiClient, ApiKey
from ethics.models.community import Community
from ethics.models.community_steward import CommunitySteward
from ethics.models.consent import Consent, ConsentItem
from ethics.models.desk import AlertNote, SavedFilter
from ethics.models.governed_item import Attribution, GovernedItem, ItemLabel, Label
from ethics.models.policy_revision import PolicyRevision
from ethics.models.status_lowering import LoweringState, StatusLoweringRequest
from ethics.models.withdrawal import CaseState, WithdrawalCase, WithdrawalCause, WithdrawalStep
from ethics.models.withdrawal_receipt import ReceiptKind, WithdrawalReceipt

__all__ = [
    "AlertNote",
    "ApiClient",
    "ApiKey",
    "Attribution",
    "AuditArchive",
    "AuditDailyCount",
    "AuditEvent",
    "AuditHead",
    "AuditIdentity",
    "AuditLeaf",
    "AuditNode",
    "AuditReason",
    "AuditSigningKey",
    "AuditVerification",
    "CaseState",
    "Community",
    "CommunitySteward",
    "Consent",
    "ConsentItem",
    "GovernedItem",
    "ItemLabel",
    "Label",
    "LoweringState",
    "PolicyRevision",
    "ReceiptKind",
    "SavedFilter",
    "StatusLoweringRequest",
    "WithdrawalCase",
    "WithdrawalCause",
    "WithdrawalReceipt",
    "WithdrawalStep",
]
