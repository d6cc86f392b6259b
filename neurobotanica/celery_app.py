"""The Celery application. Settings that keep a killed worker from losing a task stand in ``settings.py``."""

from celery import Celery

app = Celery("neurobotanica")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
