from django.apps import AppConfig


class NeurobotanicaConfig(AppConfig):
    """The site: settings, routes, roles, embedded services."""

    name = "neurobotanica"
    verbose_name = "NeuroBotanica"
