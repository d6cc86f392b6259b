"""The event types of the correlations app."""

from ethics.audit import EventType, register_event_type

for _event_type in (
    EventType(
        "practice.created",
        "A practice was added",
        needs_communities=True,
        needs_reason=True,
        details=frozenset({"origin"}),
    ),
    EventType(
        "practice.updated",
        "A practice was changed",
        needs_communities=True,
        needs_reason=True,
        details=frozenset({"origin"}),
    ),
    EventType(
        "item.created",
        "A sacred or restricted item was recorded without detail",
        needs_communities=True,
        needs_reason=True,
    ),
    EventType(
        "catalogue.loaded",
        "The bundled data was loaded",
        needs_subjects=False,
        needs_communities=True,
        needs_reason=True,
        details=frozenset({"practices", "targets", "correlations", "evidence", "synergies"}),
    ),
    EventType(
        "import.completed",
        "An import was accepted",
        needs_reason=True,
        details=frozenset({"rows", "accepted", "duplicates", "quarantined", "source_sha256"}),
    ),
    EventType(
        "quarantine.replayed",
        "A quarantined row was corrected and accepted",
        needs_reason=True,
        details=frozenset({"outcome"}),
    ),
    EventType("quarantine.dismissed", "A quarantined row was dismissed", needs_reason=True),
    EventType(
        "correlation.reviewed",
        "A correlation changed its review status",
        needs_communities=True,
        needs_reason=True,
        details=frozenset({"from", "to"}),
    ),
):
    register_event_type(_event_type)
