from django.apps import AppConfig


class NeurobotanicaConfig(AppConfig):
    """The site: settings, routes, roles, embedded services."""

    name = "neurobotanica"
    verbose_name = "NeuroBotanica"

    def ready(self) -> None:
        # Tasks that the web process enqueues must know the application, and with it the broker.
        from neurobotanica.celery_app import app

        app.set_default()
