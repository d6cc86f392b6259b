from django.db import migrations


class Migration(migrations.Migration):
    """Bring stored qualities in line with the thresholds of correlations.scoring, before a constraint demands it.

    A migration of its own: PostgreSQL alters no table while events of the same transaction wait on it.
    """

    dependencies = [("correlations", "0002_initial")]

    operations = [
        migrations.RunSQL(
            """
            UPDATE correlations_correlation SET quality = fitting.quality
            FROM (
                SELECT id, CASE WHEN confidence >= 0.75 THEN 'good' WHEN confidence >= 0.50 THEN 'moderate' ELSE 'poor' END
                    AS quality
                FROM correlations_correlation
            ) AS fitting
            WHERE fitting.id = correlations_correlation.id AND correlations_correlation.quality <> fitting.quality
            """,
            migrations.RunSQL.noop,
        )
    ]
