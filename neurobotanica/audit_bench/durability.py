"""`python -m neurobotanica.audit_bench.durability`: what the database promises at a commit, as JSON."""

from __future__ import annotations

import json
import os
import sys


def main() -> int:
    """Ask the server."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurobotanica.settings")
    from neurobotanica.bootstrap import prepare_environment

    prepare_environment()
    import django

    django.setup()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        fsync, synchronous_commit = cursor.fetchone()
    sys.stdout.write(json.dumps({"fsync": fsync, "synchronous_commit": synchronous_commit}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
