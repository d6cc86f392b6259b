from django.apps import AppConfig


class CorrelationsConfig(AppConfig):
    """What is known: practices, targets, the correlations between them, and the evidence."""

    name = "correlations"
    verbose_name = "Correlations"

    def ready(self) -> None:
        from correlations import audit_events, field_history  # noqa: F401  registers this app's event types and history
        from correlations.catalogue_revision import TOLD_BY
        from ethics.revisions import catalogue_is_told_by

        catalogue_is_told_by(TOLD_BY)
