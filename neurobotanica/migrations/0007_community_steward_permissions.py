"""Lets officers appoint stewards for communities, and stewards see who acts for theirs."""

from django.db import migrations

from neurobotanica.roles import create_roles


def forwards(apps, schema_editor):
    create_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("neurobotanica", "0006_desk_permissions"),
        ("ethics", "0011_community_stewards"),
    ]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
