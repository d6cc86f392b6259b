import django.contrib.postgres.fields
from django.db import migrations, models

_OF_REPORTS = """
UPDATE genomepath_exportrecord SET purpose = 'export', audiences = '{research,commercial,community}'
WHERE what = 'training report'
"""


class Migration(migrations.Migration):
    """Exports say for which purpose and audiences the policy was asked; the earlier ones get what was asked for them.

    Training sets were handed out on what the platform may train on itself, reports on what any client may be handed.
    """

    dependencies = [("genomepath", "0006_predictions_raise_catalogue_revision")]

    operations = [
        migrations.AddField(
            model_name="exportrecord",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("curation", "Curation"),
                    ("training", "Training"),
                    ("prediction", "Prediction"),
                    ("explanation", "Explanation"),
                    ("export", "Export"),
                    ("display", "Display"),
                ],
                default="training",
                help_text="What the policy was asked for.",
                max_length=12,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="exportrecord",
            name="audiences",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("research", "Research"),
                        ("commercial", "Commercial"),
                        ("community", "Community"),
                        ("platform", "Platform"),
                    ],
                    max_length=12,
                ),
                default=["platform"],
                help_text="For whom the policy was asked; the items may be handed to each of them.",
                size=None,
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(_OF_REPORTS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="exportrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("purpose", ""), _negated=True), name="export_has_purpose"
            ),
        ),
        migrations.AddConstraint(
            model_name="exportrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("audiences__len__gt", 0)), name="export_names_audience"
            ),
        ),
    ]
