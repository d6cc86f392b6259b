"""The event types of the genomepath app."""

from ethics.audit import EventType, register_event_type

for _event_type in (
    EventType(
        "snapshot.exported",
        "A training snapshot was taken; what was left out, and why, stands here alone",
        needs_subjects=False,
        needs_communities=True,
        needs_purpose=True,
        details=frozenset({"data_sha256", "practices", "correlations", "include_drafts", "excluded"}),
    ),
    EventType("training.requested", "A training or evaluation was asked for", details=frozenset({"kind", "preset"})),
    EventType("training.completed", "A run ended well", details=frozenset({"kind", "data_sha256"})),
    EventType("training.failed", "A run ended badly", needs_reason=True, details=frozenset({"kind"})),
    EventType("tuning.requested", "A grid of hyperparameters was asked for", details=frozenset({"preset", "points"})),
    EventType(
        "tuning.stopped",
        "A grid was stopped: something it was trained on is withheld since",
        needs_reason=True,
        details=frozenset({"points"}),
    ),
    EventType(
        "tuning.completed",
        "Every point of a grid has been trained or has failed",
        details=frozenset({"data_sha256", "points", "failed"}),
    ),
    EventType(
        "model.gated",
        "The promotion gate decided over a model version, rule by rule with its numbers",
        needs_model=True,
        details=frozenset({"passed", "provisional", "failed_rules", "rules", "compared_with"}),
    ),
    EventType(
        "model.promoted", "A model version went into service", needs_model=True, details=frozenset({"provisional"})
    ),
    EventType(
        "model.rolled_back",
        "A model version that had been in service before went back into service",
        needs_model=True,
        details=frozenset({"provisional", "replaced"}),
    ),
    EventType("model.retired", "A model version left service", needs_model=True),
    EventType(
        "model.readmitted",
        "A new training on what may be used by now gave a marked version again: it is a candidate again",
        needs_model=True,
    ),
    EventType("model.quarantined", "A marked version was shut away", needs_model=True),
    EventType(
        "export.handed_out",
        "Knowledge left the platform as files for a recipient",
        needs_communities=True,
        needs_purpose=True,
        details=frozenset({"what", "data_sha256", "items", "audiences"}),
    ),
    EventType("model.marked", "A model version was trained on knowledge since withheld", needs_model=True),
    EventType(
        "predictions.published",
        "The predictions of a model version were stored",
        needs_model=True,
        details=frozenset({"rows"}),
    ),
    EventType(
        "prediction.served",
        "A prediction was answered, with the communities it attributed",
        needs_communities=True,
        needs_purpose=True,
        needs_model=True,
        details=frozenset({"direction", "count"}),
        serves=True,
    ),
    EventType(
        "prediction.refused",
        "A prediction was asked for that the policy refuses, or that does not exist",
        needs_subjects=False,
        needs_purpose=True,
        details=frozenset({"direction"}),
        refuses=True,
    ),
    EventType(
        "prediction.explained",
        "A prediction was explained, with the communities whose knowledge the explanation shows",
        needs_communities=True,
        needs_purpose=True,
        needs_model=True,
        details=frozenset({"direction"}),
    ),
    EventType(
        "attribution.read",
        "How a community wishes to be credited was read",
        needs_communities=True,
        needs_purpose=True,
    ),
    EventType(
        "catalogue.read",
        "Public reference data, the model card or a client's own use was read",
        needs_subjects=False,
        details=frozenset({"what", "count"}),
    ),
    EventType(
        "text.withheld",
        "A free text got no answer: it named or came close to what is withheld, or was close to nothing known",
        needs_subjects=False,
        needs_purpose=True,
        needs_model=True,
        details=frozenset({"reasons"}),
        refuses=True,
    ),
    EventType(
        "catalogue.listed",
        "Practices were shown in a list",
        needs_communities=True,
        needs_purpose=True,
        details=frozenset({"count"}),
        serves=True,
    ),
):
    register_event_type(_event_type)
