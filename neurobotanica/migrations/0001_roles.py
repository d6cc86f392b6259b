"""Creates the four roles."""

from django.db import migrations

from neurobotanica.roles import create_roles, remove_roles


def forwards(apps, schema_editor):
    create_roles(apps)


def backwards(apps, schema_editor):
    remove_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("ethics", "0002_policy_revision_row"),
        ("correlations", "0002_initial"),
        ("genomepath", "0001_initial"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
