"""Gives the ML engineer the view of studies of hyperparameters."""

from django.db import migrations

from neurobotanica.roles import create_roles


def forwards(apps, schema_editor):
    create_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("neurobotanica", "0008_audit_archive_permissions"),
        ("genomepath", "0005_tuning"),
    ]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
