"""A context of field history is written once and never changed, and found by its request.

pghistory's own function updates the context of a request whenever its metadata grow. Here each change has a context of
its own, so that the application needs no right to update one.
"""

from django.db import migrations

WRITE_ONCE = """
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS pghistory_context.id%TYPE AS $$
DECLARE
    context_id text := NULLIF(current_setting('pghistory.context_id', true), '');
    context_metadata text := NULLIF(current_setting('pghistory.context_metadata', true), '');
BEGIN
    IF context_id IS NULL OR context_metadata IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO pghistory_context (id, metadata, created_at, updated_at)
        VALUES (context_id::uuid, context_metadata::jsonb, now(), now())
        ON CONFLICT (id) DO NOTHING;
    RETURN context_id::uuid;
END;
$$ LANGUAGE plpgsql;
"""


def pghistorys_own(apps, schema_editor):
    from pghistory.models import Context

    Context.install_pgh_attach_context_func(using=schema_editor.connection.alias)


def write_once(apps, schema_editor):
    schema_editor.execute(WRITE_ONCE, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("ethics", "0011_community_stewards"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.RunPython(write_once, pghistorys_own),
        migrations.RunSQL(
            "CREATE INDEX pghistory_context_request ON pghistory_context ((metadata ->> 'request_id'))",
            "DROP INDEX pghistory_context_request",
        ),
    ]
