"""The catalogue's revision, and the triggers on the tables of this app that raise it."""

from django.db import migrations

TABLES = (
    "condition", "correlation", "correlationevidence", "dosageprofile", "evidence", "genomictarget", "practice",
    "practice_sources", "practiceindication", "synergypair",
)
TABLE = """
CREATE TABLE correlations_cataloguerevision (slot smallint PRIMARY KEY, value bigint NOT NULL CHECK (value > 0));
"""
FUNCTION = """
CREATE FUNCTION correlations_raise_catalogue_revision() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO correlations_cataloguerevision (slot, value) VALUES (pg_backend_pid() % 256, 1)
        ON CONFLICT (slot) DO UPDATE SET value = correlations_cataloguerevision.value + 1;
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER raise_catalogue_revision AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON correlations_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION correlations_raise_catalogue_revision();
ALTER TABLE correlations_{table} ENABLE ALWAYS TRIGGER raise_catalogue_revision;
"""


class Migration(migrations.Migration):
    dependencies = [("correlations", "0006_changes_need_a_reason")]

    operations = [
        migrations.RunSQL(
            TABLE + FUNCTION + "".join(TRIGGER.format(table=table) for table in TABLES),
            "".join(f"DROP TRIGGER raise_catalogue_revision ON correlations_{table};" for table in TABLES)
            + "DROP FUNCTION correlations_raise_catalogue_revision(); DROP TABLE correlations_cataloguerevision;",
        ),
    ]
