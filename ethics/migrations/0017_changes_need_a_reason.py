"""The database refuses to change or remove a governed row where the context of field history names no reason.

Plain functions: those of pgtrigger step aside for whoever sets pgtrigger.ignore. A check a statement, not a row, so that a bulk
change pays it once. The contexts themselves, which hold names and reasons, are written once: those texts can be emptied, nothing
else can change.
"""

from django.db import migrations

TABLES = ("attribution", "community", "consent", "consentitem", "governeditem", "itemlabel", "label")
FUNCTION = """
CREATE FUNCTION ethics_change_needs_reason() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(nullif(current_setting('pghistory.context_metadata', true), '')::jsonb ->> 'reason', '') = '' THEN
        RAISE EXCEPTION 'a change of % needs a reason: % refused', TG_TABLE_NAME, TG_OP
            USING HINT = 'Change governed rows through their service, or inside of ethics.reasons.change_reason.';
    END IF;
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER change_needs_reason BEFORE UPDATE OR DELETE ON ethics_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION ethics_change_needs_reason();
ALTER TABLE ethics_{table} ENABLE ALWAYS TRIGGER change_needs_reason;
"""

CONTEXTS = """
CREATE FUNCTION ethics_context_erase_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erasable text[] := '{actor,reason}';
    name text;
BEGIN
    IF to_jsonb(NEW) - 'metadata' IS DISTINCT FROM to_jsonb(OLD) - 'metadata'
        OR NEW.metadata - erasable IS DISTINCT FROM OLD.metadata - erasable
    THEN
        RAISE EXCEPTION 'field history is append-only: only names and reasons can be emptied, % refused', TG_OP;
    END IF;
    FOREACH name IN ARRAY erasable LOOP
        IF NEW.metadata -> name IS DISTINCT FROM OLD.metadata -> name AND NEW.metadata ->> name IS DISTINCT FROM '' THEN
            RAISE EXCEPTION 'field history is append-only: only names and reasons can be emptied, % refused', TG_OP;
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON pghistory_context
    FOR EACH STATEMENT EXECUTE FUNCTION ethics_append_only();
ALTER TABLE pghistory_context ENABLE ALWAYS TRIGGER append_only;
CREATE TRIGGER erase_only BEFORE UPDATE ON pghistory_context
    FOR EACH ROW EXECUTE FUNCTION ethics_context_erase_only();
ALTER TABLE pghistory_context ENABLE ALWAYS TRIGGER erase_only;
"""


class Migration(migrations.Migration):
    dependencies = [("ethics", "0016_reasons_of_refusal_by_time")]

    operations = [
        migrations.RunSQL(
            FUNCTION + "".join(TRIGGER.format(table=table) for table in TABLES),
            "".join(f"DROP TRIGGER change_needs_reason ON ethics_{table};" for table in TABLES)
            + "DROP FUNCTION ethics_change_needs_reason();",
        ),
        migrations.RunSQL(
            CONTEXTS,
            "DROP TRIGGER append_only ON pghistory_context; DROP TRIGGER erase_only ON pghistory_context;"
            "DROP FUNCTION ethics_context_erase_only();",
        ),
    ]
