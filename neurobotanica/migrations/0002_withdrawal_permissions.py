"""Gives the roles what they may do with withdrawal cases and export records."""

from django.db import migrations

from neurobotanica.roles import create_roles


def forwards(apps, schema_editor):
    create_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("neurobotanica", "0001_roles"),
        ("ethics", "0004_withdrawal_cases"),
        ("genomepath", "0003_export_record"),
    ]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
