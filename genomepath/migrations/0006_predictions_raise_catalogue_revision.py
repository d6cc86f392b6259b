"""Published predictions stand in answers too: those of a practice that comes back are published some time after the policy
lets it in."""

from django.db import migrations

TRIGGER = """
CREATE TRIGGER raise_catalogue_revision AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON genomepath_prediction
    FOR EACH STATEMENT EXECUTE FUNCTION correlations_raise_catalogue_revision();
ALTER TABLE genomepath_prediction ENABLE ALWAYS TRIGGER raise_catalogue_revision;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("correlations", "0007_catalogue_revision"),
        ("genomepath", "0005_tuning"),
    ]

    operations = [
        migrations.RunSQL(TRIGGER, "DROP TRIGGER raise_catalogue_revision ON genomepath_prediction;"),
    ]
