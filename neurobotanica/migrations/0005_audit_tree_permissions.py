"""Gives officers the view of the sealed log."""

from django.db import migrations

from neurobotanica.roles import create_roles


def forwards(apps, schema_editor):
    create_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("neurobotanica", "0004_withdrawal_receipt_permissions"),
        ("ethics", "0007_audit_tree_and_commitments"),
    ]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
