from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate

from neurobotanica.bootstrap import answers_requests


class NeurobotanicaConfig(AppConfig):
    """The site: settings, routes, roles, embedded services."""

    name = "neurobotanica"
    verbose_name = "NeuroBotanica"

    def ready(self) -> None:
        # Tasks that the web process enqueues must know the application, and with it the broker.
        from neurobotanica.celery_app import app

        app.set_default()
        if answers_requests():
            from neurobotanica.silent_database import silence_limit

            silence_limit(statement_seconds=settings.WEB_LIMITS.statement_seconds)
        # Sent once for each app with models, after all migrations; this app has none.
        post_migrate.connect(grant_after_migrate, sender=apps.get_app_config("ethics"))


def grant_after_migrate(using: str, **kwargs: Any) -> None:
    """Give the application's role its rights on what the migrations made; nothing to do where the owner is alone."""
    from django.db import connections

    from neurobotanica.database_roles import grants_apply

    if settings.DATABASE_APP_ROLE:
        grants_apply(connections[using], settings.DATABASE_APP_ROLE)
