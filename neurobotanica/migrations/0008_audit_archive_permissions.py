"""Gives officers the view of what was archived."""

from django.db import migrations

from neurobotanica.roles import create_roles


def forwards(apps, schema_editor):
    create_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("neurobotanica", "0007_community_steward_permissions"),
        ("ethics", "0015_audit_archive"),
    ]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
