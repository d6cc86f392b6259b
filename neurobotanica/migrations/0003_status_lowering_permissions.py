"""Gives stewards and officers what they may do with proposals to lower a sacred status."""

from django.db import migrations

from neurobotanica.roles import create_roles


def forwards(apps, schema_editor):
    create_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("neurobotanica", "0002_withdrawal_permissions"),
        ("ethics", "0005_status_lowering_and_label_versions"),
    ]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
