from django.apps import AppConfig


class GenomepathConfig(AppConfig):
    """What the model says: trainings, versions, predictions."""

    name = "genomepath"
    verbose_name = "GenomePath"

    def ready(self) -> None:
        from ethics.reactions import on_items_withheld
        from ethics.revisions import model_is_told_by
        from genomepath import (  # noqa: F401  registers this app's event types and history
            audit_events,
            desk_alerts,
            field_history,
        )
        from genomepath.version_in_service import TOLD_BY
        from genomepath.withdrawal import mark_models_of_withheld_items
        from genomepath.withdrawal_queue import process_withdrawals_on_commit

        model_is_told_by(TOLD_BY)
        on_items_withheld(mark_models_of_withheld_items)
        on_items_withheld(process_withdrawals_on_commit)
