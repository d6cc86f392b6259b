from django.db import migrations


def create_row(apps, schema_editor):
    apps.get_model("ethics", "PolicyRevision").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    """The one row that the triggers raise."""

    dependencies = [("ethics", "0001_initial")]

    operations = [migrations.RunPython(create_row, migrations.RunPython.noop)]
