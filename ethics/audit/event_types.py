"""The event types of the ethics app."""

from ethics.audit.registry import EventType, register_event_type

for _event_type in (
    EventType(
        "consent.recorded",
        "A consent was recorded",
        needs_communities=True,
        needs_reason=True,
        details=frozenset({"state", "purposes"}),
    ),
    EventType("consent.withdrawn", "A consent was withdrawn", needs_communities=True, needs_reason=True),
    EventType("item.objected", "A community objected to a use", needs_communities=True, needs_reason=True),
    EventType(
        "item.status_changed",
        "The sacred status of an item was changed",
        needs_communities=True,
        needs_reason=True,
        details=frozenset({"from", "to"}),
    ),
    EventType(
        "withdrawal.opened",
        "Items left use; what follows is noted as steps of this case",
        needs_communities=True,
        details=frozenset({"cause"}),
    ),
    EventType(
        "withdrawal.step",
        "A step of a withdrawal was done",
        needs_communities=True,
        details=frozenset({"what", "where", "files", "exports"}),
    ),
    EventType(
        "withdrawal.alerted",
        "A model without the withdrawn items could not take over; officers have to look",
        needs_communities=True,
        needs_reason=True,
    ),
    EventType(
        "withdrawal.advanced",
        "A withdrawal waits for a retraining, or its deadline passed",
        needs_communities=True,
        details=frozenset({"state", "steps"}),
    ),
    EventType(
        "withdrawal.receipt_issued",
        "A receipt of a withdrawal was issued; its text is never changed",
        needs_communities=True,
        details=frozenset({"number", "kind", "sha256"}),
    ),
    EventType(
        "withdrawal.completed",
        "A withdrawal reached everything; its final receipt is issued with it",
        needs_communities=True,
        details=frozenset({"state", "steps"}),
    ),
    EventType(
        "item.lowering_proposed",
        "A person proposed to lower a sacred status",
        needs_communities=True,
        needs_reason=True,
        details=frozenset({"from", "to"}),
    ),
    EventType(
        "item.lowering_confirmed",
        "A second person confirmed that a sacred status is lowered",
        needs_communities=True,
        needs_reason=True,
        details=frozenset({"from", "to"}),
    ),
    EventType(
        "item.lowering_rejected",
        "A second person refused to lower a sacred status",
        needs_communities=True,
        needs_reason=True,
        details=frozenset({"from", "to"}),
    ),
    EventType(
        "alert.annotated", "An officer said something about an alert", needs_reason=True, details=frozenset({"kind"})
    ),
    EventType(
        "alert.closed",
        "An officer closed an alert, for what had happened until then",
        needs_reason=True,
        details=frozenset({"kind", "seen_until"}),
    ),
    EventType("filter.saved", "An officer kept search terms of the log"),
    EventType("filter.removed", "An officer removed kept search terms"),
    EventType(
        "log.downloaded",
        "An officer took events of the log away as a file",
        needs_subjects=False,
        details=frozenset({"form", "filters"}),
    ),
    EventType("steward.appointed", "A steward may act for a community from now on", needs_communities=True),
    EventType("steward.dismissed", "A steward acts for a community no longer", needs_communities=True),
    EventType("sacred.viewed", "Somebody opened a sacred record", needs_communities=True),
    EventType(
        "evidence_pack.exported",
        "Events of this log were written as an evidence pack",
        needs_subjects=False,
        details=frozenset({"filters", "events", "tree_size", "sha256"}),
    ),
    EventType("client.created", "An API client was created", details=frozenset({"audience"})),
    EventType("client.updated", "An API client was changed", details=frozenset({"audience", "is_active"})),
    EventType("api_key.created", "An API key was created", details=frozenset({"client", "scopes", "networks"})),
    EventType("api_key.rotated", "An API key got a successor and will end", details=frozenset({"client", "ends"})),
    EventType("api_key.revoked", "An API key was revoked", details=frozenset({"client"})),
    EventType("account.changed", "An account or its roles were changed", details=frozenset({"action", "fields"})),
    EventType("identity.shredded", "The name behind an actor's commitment was destroyed", needs_reason=True),
    EventType("reason.shredded", "The text of an event's reason was destroyed", needs_reason=True),
    EventType("audit_key.rotated", "A new key was endorsed to sign the log", details=frozenset({"key_before"})),
    EventType(
        "audit.verified",
        "The log was verified and found right",
        needs_subjects=False,
        details=frozenset({"tree_size", "events"}),
    ),
    EventType(
        "audit.verification_failed",
        "The log was verified and something was found wrong",
        needs_subjects=False,
        details=frozenset({"tree_size", "events", "problems", "first_bad_record"}),
    ),
    EventType(
        "audit.archived",
        "Sealed records were moved to a file",
        details=frozenset({"first_index", "end_index", "sha256"}),
    ),
    EventType(
        "curation.changed",
        "A curated record was added, changed or removed",
        needs_reason=True,
        details=frozenset({"model", "action", "fields"}),
    ),
):
    register_event_type(_event_type)
