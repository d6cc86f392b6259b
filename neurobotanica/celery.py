"""The Celery application. Settings that keep a killed worker from losing a task stand in ``settings.py``."""

import os

from neurobotanica.bootstrap import prepare_environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurobotanica.settings")
prepare_environment()

from celery import Celery  # noqa: E402

app = Celery("neurobotanica")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
