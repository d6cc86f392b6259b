"""Where ``celery -A neurobotanica`` starts: finds the services first, then the application."""

import os

from neurobotanica.bootstrap import prepare_environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurobotanica.settings")
prepare_environment()

from neurobotanica.celery_app import app  # noqa: E402

__all__ = ["app"]
