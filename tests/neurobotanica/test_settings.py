"""Settings from the environment: production refuses to start half-configured, development needs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service_home import PROJECT_ROOT

PRODUCTION = {
    "NEUROBOTANICA_ENV": "production",
    "SECRET_KEY": "k" * 50,
    "DATABASE_URL": "postgresql://app@db/neurobotanica",
    "REDIS_URL": "redis://cache/0",
    "ALLOWED_HOSTS": "genomepath.example",
}
SHOW = """
import json
from neurobotanica import settings
names = ("DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECRET_KEY", "ARTEFACT_ROOT")
print(json.dumps({name: str(getattr(settings, name, None)) for name in names}))
"""


def read_settings(environment: dict[str, str], home: Path) -> subprocess.CompletedProcess[str]:
    """Reads the settings in a process that knows only these variables."""
    clean = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        check=False,
        cwd=PROJECT_ROOT,
        env={**clean, "NEUROBOTANICA_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_complete_production_environment_is_accepted_and_strict(tmp_path):
    shown = read_settings(PRODUCTION, tmp_path)

    assert shown.returncode == 0, shown.stderr
    assert '"DEBUG": "False"' in shown.stdout
    assert '"SESSION_COOKIE_SECURE": "True"' in shown.stdout
    assert '"SECURE_SSL_REDIRECT": "True"' in shown.stdout
    assert list(tmp_path.iterdir()) == [], "production makes no key of its own"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"])
@pytest.mark.parametrize("value", [None, ""])
def test_production_refuses_to_start_without(name, value, tmp_path):
    environment = {key: text for key, text in PRODUCTION.items() if key != name}
    if value is not None:
        environment[name] = value

    shown = read_settings(environment, tmp_path)

    assert shown.returncode != 0
    assert f"ImproperlyConfigured: Production needs these environment variables: {name}." in shown.stderr


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"DEBUG": "1"}, "Production refuses to start with DEBUG on."),
        ({"DEBUG": "true"}, "Production refuses to start with DEBUG on."),
        ({"ALLOWED_HOSTS": "*"}, "'*' is refused"),
        ({"ALLOWED_HOSTS": "genomepath.example,*"}, "'*' is refused"),
        ({"SECRET_KEY": "short"}, "at least 32 characters"),
        ({"DATABASE_URL": "sqlite:///db.sqlite3"}, "DATABASE_URL must name a PostgreSQL database"),
        (
            {"DATABASE_OWNER_URL": "postgresql://app:other@db/neurobotanica"},
            "DATABASE_URL must name the application's role",
        ),
        ({"NEUROBOTANICA_ENV": "prod"}, "NEUROBOTANICA_ENV must be"),
    ],
)
def test_an_unsafe_environment_is_refused(changed, message, tmp_path):
    shown = read_settings({**PRODUCTION, **changed}, tmp_path)

    assert shown.returncode != 0
    assert message in shown.stderr


def test_a_refusal_never_repeats_the_secret(tmp_path):
    shown = read_settings({**PRODUCTION, "SECRET_KEY": "tell-nobody"}, tmp_path)

    assert "tell-nobody" not in shown.stdout + shown.stderr


def test_development_needs_no_variable_and_keeps_its_own_random_key(tmp_path):
    first, second = (read_settings({}, tmp_path) for _ in range(2))
    other = read_settings({}, tmp_path / "other")

    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    key = (tmp_path / "secret_key").read_text(encoding="utf-8")
    assert len(key) >= 50
    assert key in first.stdout
    assert key not in other.stdout
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0, "nobody else may read the key"


def test_development_answers_on_loopback_alone(tmp_path):
    assert "['127.0.0.1', 'localhost', '[::1]', 'testserver']" in read_settings({}, tmp_path).stdout


def run_manage(environment: dict[str, str], home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        check=False,
        cwd=PROJECT_ROOT,
        env={**clean, "NEUROBOTANICA_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["migrate", "database_roles"])
def test_what_changes_the_shape_of_the_database_needs_the_owners_role_in_production(command, tmp_path):
    finished = run_manage(PRODUCTION, tmp_path, command)

    assert finished.returncode != 0
    assert "needs DATABASE_OWNER_URL" in finished.stderr


def test_only_commands_that_change_the_shape_of_the_database_act_as_its_owner(tmp_path):
    """`diffsettings` acts as the application, though the owner's address stands in the environment."""
    owner = {"DATABASE_OWNER_URL": "postgresql://owner@db/neurobotanica"}
    shown = run_manage({**PRODUCTION, **owner}, tmp_path, "diffsettings")

    assert shown.returncode == 0, shown.stderr
    assert "'USER': 'app'" in shown.stdout
    assert "DATABASE_APP_ROLE = 'app'" in shown.stdout


WEB = """
import sys
from neurobotanica import bootstrap
if "web" in sys.argv:
    bootstrap.answer_requests()
from neurobotanica import settings
options = settings.DATABASES["default"]["OPTIONS"]
print(options.get("options"), options.get("connect_timeout"), options.get("tcp_user_timeout"), sep="|")
"""


def limits(process: str, home: Path, address: str = "", **variables: str) -> str:
    """The limits of the database connection of a process, ``web`` or another."""
    clean = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    environment = {**clean, **PRODUCTION, "NEUROBOTANICA_HOME": str(home), **variables}
    environment["DATABASE_URL"] += address
    command = [sys.executable, "-c", WEB, process]
    shown = subprocess.run(
        command, check=True, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    return shown.stdout.strip()


def test_a_web_process_alone_waits_for_the_database_for_so_long_and_no_longer(tmp_path):
    assert limits("web", tmp_path) == "-c statement_timeout=20000 -c lock_timeout=5000|5|30000"
    assert limits("worker", tmp_path) == "None|None|None"


def test_the_limits_of_a_web_process_are_set_by_the_environment_and_by_the_address_of_the_database(tmp_path):
    none = {f"DATABASE_{name}_TIMEOUT_SECONDS": "0" for name in ("CONNECT", "STATEMENT", "LOCK")}
    assert limits("web", tmp_path, **none) == "-c statement_timeout=0 -c lock_timeout=0|None|30000"
    shown = limits(
        "web", tmp_path, "?connect_timeout=9&options=-c%20lock_timeout%3D7", DATABASE_STATEMENT_TIMEOUT_SECONDS="0.25"
    )
    assert shown == "-c statement_timeout=250 -c lock_timeout=5000 -c lock_timeout=7|9|30000"
