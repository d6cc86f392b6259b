"""The guard of ``ethics.0017_changes_need_a_reason`` for the curated tables of this app."""

from django.db import migrations

TABLES = (
    "condition", "correlation", "correlationevidence", "diseaseassociation", "dosageprofile", "evidence",
    "genomictarget", "practice", "practiceindication", "synergypair",
)
TRIGGER = """
CREATE TRIGGER change_needs_reason BEFORE UPDATE OR DELETE ON correlations_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION ethics_change_needs_reason();
ALTER TABLE correlations_{table} ENABLE ALWAYS TRIGGER change_needs_reason;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("correlations", "0005_practice_item_raises_policy_revision"),
        ("ethics", "0017_changes_need_a_reason"),
    ]

    operations = [
        migrations.RunSQL(
            "".join(TRIGGER.format(table=table) for table in TABLES),
            "".join(f"DROP TRIGGER change_needs_reason ON correlations_{table};" for table in TABLES),
        )
    ]
