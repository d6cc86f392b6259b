"""Gives the tests real services in a home of their own, before Django reads its settings."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("NEUROBOTANICA_HOME") or PROJECT_ROOT / ".local").resolve()
if HOME.name != "test":
    HOME = HOME / "test"

os.environ["NEUROBOTANICA_HOME"] = str(HOME)
os.environ["NEUROBOTANICA_FAST_TEST_DB"] = "1"

from neurobotanica.bootstrap import prepare_environment  # noqa: E402

prepare_environment()
