from django.apps import AppConfig


class EthicsConfig(AppConfig):
    """Who may use what, and the record of it."""

    name = "ethics"
    verbose_name = "Ethics"

    def ready(self) -> None:
        from ethics import field_history  # noqa: F401  registers this app's history
        from ethics.audit import event_types  # noqa: F401  registers this app's event types
        from ethics.desk import alert_sources  # noqa: F401  registers this app's alerts
