"""docker-compose.yml and Dockerfile: valid, closed by default, and every command starts as a plain process.

There is no container engine in the tests: the file is checked against the Compose specification's own schema, its
promises by reading it, and its commands by running them beside the embedded services.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from neurobotanica.embedded import ensure_services, remove_services
from neurobotanica.embedded.home import find_home
from neurobotanica.embedded.postgres import PostgresServer
from neurobotanica.supervision import ProcessPlan, Supervisor

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = PROJECT / "docker-compose.yml"
APPLICATION = ("migrate", "web", "worker", "ml-worker", "beat", "sealer")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_the_file_follows_the_schema_of_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_every_part_of_the_platform_is_a_service(services):
    assert set(services) == {"postgres", "valkey", *APPLICATION}


def test_every_service_that_keeps_running_has_a_health_check(services):
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"migrate"}


def test_nothing_starts_before_what_it_needs(services):
    for name in set(APPLICATION) - {"migrate"}:
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": {"condition": "service_healthy"},
            "valkey": {"condition": "service_healthy"},
        }
    assert services["migrate"]["restart"] == "no"


def test_the_application_runs_without_root_and_on_a_read_only_file_system(services):
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)[-1:] == ["neurobotanica"]
    for name in APPLICATION:
        service = services[name]
        assert "user" not in service and "privileged" not in service
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_every_secret_is_required_and_none_stands_in_the_file():
    text = COMPOSE.read_text()
    variables = re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", text)

    assert {rest[:2] for _, rest in variables} == {":?"}
    named = {line.split("=")[0] for line in (PROJECT / ".env.example").read_text().splitlines() if "=" in line[:40]}
    assert {name for name, _ in variables} == {name for name in named if name.isupper()}


def test_only_the_site_has_a_port_and_only_on_loopback(services):
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}


def test_the_keys_that_sign_the_log_are_seen_by_the_sealer_alone(services):
    mounts = {
        name: [volume for volume in service.get("volumes", []) if "audit" in volume]
        for name, service in services.items()
    }
    assert {name: found for name, found in mounts.items() if found} == {
        "sealer": ["audit:/var/lib/neurobotanica/audit"]
    }


def test_the_image_holds_no_local_state_or_secret():
    patterns = (PROJECT / ".dockerignore").read_text().splitlines()
    assert patterns[1] == "*"
    allowed = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    assert allowed.isdisjoint({".env", ".local", ".git", "tests", "shared"})
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    assert {name for line in copied for name in line.split()} == allowed


@pytest.fixture(scope="module")
def production(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment of the application's containers, with embedded servers in place of the other two."""
    home = tmp_path_factory.mktemp("compose")
    urls = ensure_services(home / "services", fast_test_db=True)
    yield {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "HOSTNAME": socket.gethostname(),
        "NEUROBOTANICA_ENV": "production",
        "NEUROBOTANICA_HOME": str(home / "state"),
        "SECRET_KEY": "a-key-for-this-test-alone-" + "0123456789" * 4,
        "ALLOWED_HOSTS": "knowledge.example.org",
        "CSRF_TRUSTED_ORIGINS": "https://knowledge.example.org",
        "BEHIND_TLS_PROXY": "true",
        "DATABASE_URL": urls.database_url,
        "REDIS_URL": urls.redis_url,
    }
    remove_services(home / "services")


def test_the_owners_role_is_given_to_the_migrate_job_alone(services):
    for name in APPLICATION:
        environment = services[name]["environment"]
        assert "//neurobotanica_app:" in environment["DATABASE_URL"]
        assert ("DATABASE_OWNER_URL" in environment) == (name == "migrate")


def superuser_url(home: Path) -> str:
    """What the image of PostgreSQL makes of POSTGRES_USER: an owner who may make roles."""
    opened = find_home(home)
    assert opened is not None
    server = PostgresServer(opened)
    state = server.running()
    assert state is not None
    return server.superuser_url(state.port)


@pytest.mark.slow
def test_every_command_starts_as_a_plain_process_and_passes_its_health_check(services, production, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    schedule = str(tmp_path / "celerybeat-schedule")
    here = {"0.0.0.0": "127.0.0.1", "8000": port, "/var/lib/neurobotanica/celerybeat-schedule": schedule}  # noqa: S104
    Path(production["NEUROBOTANICA_HOME"]).mkdir(exist_ok=True)

    as_owner = {**production, "DATABASE_OWNER_URL": superuser_url(Path(production["HOME"]) / "services")}
    migrated = subprocess.run(
        services["migrate"]["command"], cwd=PROJECT, env=as_owner, capture_output=True, text=True, check=False
    )
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr

    names = [name for name in APPLICATION if name != "migrate"]
    commands = {name: [here.get(part, part) for part in services[name]["command"]] for name in names}
    checks = {name: health_command(services[name]["healthcheck"]["test"]) for name in names}
    checks["web"] += ["--port", port]
    checks["beat"] += ["--schedule", schedule]
    healthy: set[str] = set()
    ready: dict[str, str] = {}

    def wait_until_healthy(running: Supervisor) -> None:
        deadline = time.monotonic() + 90
        while len(healthy) < len(names) and time.monotonic() < deadline and not running.stopping:
            for name in set(names) - healthy:
                checked = subprocess.run(checks[name], cwd=PROJECT, env=production, capture_output=True, check=False)
                if checked.returncode == 0:
                    healthy.add(name)
        request = Request(
            f"http://127.0.0.1:{port}/readyz",
            headers={"Host": production["ALLOWED_HOSTS"], "X-Forwarded-Proto": "https"},
        )
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            ready.update(json.load(answer)["checks"])
        running.stop()

    supervisor = Supervisor(
        plans=[ProcessPlan(name, commands[name]) for name in names],
        folder=PROJECT,
        environment=production,
        report=lambda text: None,
    )
    supervisor.run(when_started=wait_until_healthy)

    assert healthy == set(names)
    assert ready == {"database": "ok", "migrations": "ok", "broker": "ok", "database_role": "ok"}


def health_command(test: list[str]) -> list[str]:
    """A health check as the container engine runs it: CMD directly, CMD-SHELL by a shell, `$$` standing for `$`."""
    words = [word.replace("$$", "$") for word in test[1:]]
    return words if test[0] == "CMD" else ["sh", "-c", *words]
