"""A study says which items it is trained on, so that a withdrawal finds it. One from before says nothing and trains no more."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("genomepath", "0007_export_audiences"),
    ]

    operations = [
        migrations.AddField(
            model_name="tuningstudy",
            name="trained_on",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), blank=True, default=list, size=None
            ),
        ),
    ]
