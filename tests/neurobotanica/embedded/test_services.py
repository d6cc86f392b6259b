"""What the embedded services do when nothing goes wrong."""

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from neurobotanica.embedded import ensure_services, services_status, stop_services
from neurobotanica.embedded.home import find_home
from neurobotanica.embedded.postgres import PostgresServer
from neurobotanica.embedded.processes import command_line
from tests.neurobotanica.embedded.starters import environment, pids, run_action, starter_command

NO_RETRY = Retry(NoBackoff(), 0)


def test_both_servers_answer_at_their_urls(shared_home):
    urls = ensure_services(shared_home, fast_test_db=True)

    with psycopg.connect(urls.database_owner_url) as connection:
        found = connection.execute("SELECT current_database(), current_user").fetchone()
    assert found == ("neurobotanica", "neurobotanica")
    assert redis.from_url(urls.redis_url).ping() is True


def test_the_owner_role_may_create_databases_and_is_no_superuser(shared_home):
    urls = ensure_services(shared_home, fast_test_db=True)

    with psycopg.connect(urls.database_owner_url) as connection:
        role = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert role == (False, True, False, False)


def test_the_application_has_a_role_of_its_own_that_owns_nothing_and_makes_nothing(shared_home):
    urls = ensure_services(shared_home, fast_test_db=True)

    with psycopg.connect(urls.database_url) as connection:
        role = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = session_user"
        ).fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")
    assert role == ("neurobotanica_app", False, False, False, False)


def as_made_before(home: Path) -> None:
    """Take the application's role and its password away, as in a home of an earlier version."""
    opened = find_home(home)
    assert opened is not None
    server = PostgresServer(opened)
    with psycopg.connect(server.superuser_url(server.start().port)) as connection:
        connection.execute("DROP ROLE neurobotanica_app")
    record = home / "services.json"
    kept = {name: value for name, value in json.loads(record.read_text()).items() if name != "app_password"}
    record.write_text(json.dumps(kept))


@pytest.mark.parametrize("stopped", [False, True])
def test_a_home_made_before_the_application_had_a_role_gets_one_at_the_next_start(stopped, home):
    before = ensure_services(home, fast_test_db=True)
    with psycopg.connect(before.database_owner_url) as connection:
        connection.execute("CREATE TABLE note (text text)")
    as_made_before(home)
    if stopped:
        stop_services(home)

    urls = ensure_services(home)

    assert urls.database_owner_url == before.database_owner_url
    assert ensure_services(home) == urls
    with psycopg.connect(urls.database_url) as connection:
        assert connection.execute("SELECT session_user").fetchone() == ("neurobotanica_app",)
    with psycopg.connect(urls.database_owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)


def test_an_upgrade_that_was_killed_after_it_made_the_role_is_done_again(home):
    ensure_services(home, fast_test_db=True)
    record = home / "services.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"app_password": ""}))

    with psycopg.connect(ensure_services(home).database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_starters_at_the_same_moment_agree_on_the_password_of_the_new_role(home):
    ensure_services(home, fast_test_db=True)
    as_made_before(home)
    command = starter_command("start", home)
    starters = [subprocess.Popen(command, cwd="/", env=environment(), stdout=subprocess.DEVNULL) for _ in range(4)]

    assert [starter.wait(timeout=90) for starter in starters] == [0] * 4
    with psycopg.connect(ensure_services(home).database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_no_connection_without_the_right_password(shared_home):
    urls = ensure_services(shared_home, fast_test_db=True)
    parts = urlsplit(urls.database_owner_url)

    port = urlsplit(urls.redis_url).port or 0
    for password in ("", ":wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://neurobotanica{password}@/neurobotanica?{parts.query}", passfile="/dev/null")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port, retry=NO_RETRY).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port, password="wrong", retry=NO_RETRY).ping()


def test_passwords_are_readable_by_their_owner_alone_and_in_no_command_line_or_status(shared_home):
    urls = ensure_services(shared_home, fast_test_db=True)
    addresses = (urls.database_url, urls.database_owner_url, urls.redis_url)
    secrets = [urlsplit(address).password for address in addresses]

    assert (shared_home / "services.json").stat().st_mode & 0o777 == 0o600
    processes = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
    shown = run_action("status", shared_home).stdout
    for secret in secrets:
        assert secret is not None and len(secret) >= 40
        assert secret not in processes
        assert secret not in shown


def test_a_later_process_finds_the_same_servers(shared_home):
    ensure_services(shared_home, fast_test_db=True)
    before = pids(shared_home)

    finished = run_action("start", shared_home)

    assert finished.returncode == 0, finished.stderr
    assert pids(shared_home) == before


def test_starters_at_the_same_moment_start_one_server_each(home):
    command = starter_command("start", home)
    starters = [subprocess.Popen(command, cwd="/", env=environment(), stdout=subprocess.PIPE) for _ in range(5)]

    outputs = {starter.communicate(timeout=90)[0] for starter in starters}

    assert [starter.returncode for starter in starters] == [0] * 5
    assert len(outputs) == 1


def test_servers_outlive_the_command_that_started_them_and_hold_none_of_its_pipes(home):
    finished = run_action("start", home)

    assert finished.returncode == 0, finished.stderr
    assert all(state.running for state in services_status(home))


def test_servers_are_in_sessions_of_their_own(shared_home):
    ensure_services(shared_home, fast_test_db=True)

    own = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[3]
    for pid in pids(shared_home).values():
        assert Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[3] != own


def test_two_homes_have_servers_ports_and_data_of_their_own(new_home):
    first, second = new_home("first"), new_home("second")
    urls, other_urls = ensure_services(first, fast_test_db=True), ensure_services(second, fast_test_db=True)
    redis.from_url(urls.redis_url).set("key", "first")

    assert urlsplit(urls.redis_url).port != urlsplit(other_urls.redis_url).port
    assert set(pids(first).values()).isdisjoint(pids(second).values())
    assert redis.from_url(other_urls.redis_url).get("key") is None

    stop_services(second)
    assert all(state.running for state in services_status(first))


def test_stop_ends_both_servers_and_a_second_stop_finds_none(home):
    ensure_services(home, fast_test_db=True)
    before = pids(home)

    assert stop_services(home) == ["valkey", "postgres"]
    assert [command_line(pid) for pid in before.values() if pid is not None] == [[], []]
    assert not any(state.running for state in services_status(home))
    assert stop_services(home) == []


def test_status_of_a_home_that_was_never_used_changes_nothing(home):
    finished = run_action("status", home)

    assert finished.returncode == 1
    assert finished.stdout == "postgres: not running\nvalkey: not running\n"
    assert not home.exists()


def test_urls_stay_the_same_through_a_restart(home):
    urls = ensure_services(home, fast_test_db=True)
    stop_services(home)

    assert ensure_services(home, fast_test_db=True) == urls


def test_a_home_is_durable_unless_it_was_made_for_fast_tests(new_home):
    settings = ("fsync", "synchronous_commit", "full_page_writes")
    shown = {}
    for name, fast in (("durable", False), ("fast", True)):
        urls = ensure_services(new_home(name), fast_test_db=fast)
        with psycopg.connect(urls.database_owner_url) as connection:
            shown[name] = [connection.execute(f"SHOW {setting}").fetchone() for setting in settings]
    assert shown == {"durable": [("on",)] * 3, "fast": [("off",)] * 3}


def test_a_durable_home_stays_durable_when_fast_tests_are_asked_for_later(home):
    ensure_services(home, fast_test_db=False)
    stop_services(home)

    urls = ensure_services(home, fast_test_db=True)

    with psycopg.connect(urls.database_owner_url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_valkey_writes_every_command_to_its_append_only_file_and_evicts_nothing(shared_home):
    client = redis.from_url(ensure_services(shared_home).redis_url)

    assert client.config_get("append*")["appendonly"] == "yes"
    assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_rows_that_the_database_refuses_are_not_copied_into_its_log(shared_home):
    urls = ensure_services(shared_home, fast_test_db=True)
    canary = "canary-that-must-not-be-logged"

    with psycopg.connect(urls.database_owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE item (label text UNIQUE CHECK (length(label) > 3))")
        connection.execute("INSERT INTO item VALUES (%s)", [canary])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO item VALUES (%s)", [canary])
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute(f"SELECT missing FROM item WHERE label = '{canary}'")

    log = (shared_home / "postgres" / "postgres.log").read_text()
    assert "duplicate key value" in log
    assert canary not in log
