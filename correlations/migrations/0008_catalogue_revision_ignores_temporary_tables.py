"""The function that raises the catalogue's revision runs as its owner: no temporary table may stand before its own."""

from django.db import migrations

SEARCH_PATH = "ALTER FUNCTION correlations_raise_catalogue_revision() SET search_path = {};"


class Migration(migrations.Migration):
    dependencies = [("correlations", "0007_catalogue_revision")]

    operations = [
        migrations.RunSQL(
            SEARCH_PATH.format("pg_catalog, public, pg_temp"),
            SEARCH_PATH.format("pg_catalog, public"),
        ),
    ]
