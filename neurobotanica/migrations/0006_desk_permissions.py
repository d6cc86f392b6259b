"""Gives officers the view of what the compliance desk stores."""

from django.db import migrations

from neurobotanica.roles import create_roles


def forwards(apps, schema_editor):
    create_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("neurobotanica", "0005_audit_tree_permissions"),
        ("ethics", "0010_desk"),
    ]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
