"""A Valkey server of the home's own: broker and cache, on a loopback port, with a generated password."""

import os
import re
import signal
import socket
import time
from pathlib import Path

from neurobotanica.embedded.binaries import valkey_program
from neurobotanica.embedded.errors import EmbeddedServiceError
from neurobotanica.embedded.files import write_private
from neurobotanica.embedded.home import ServicesHome
from neurobotanica.embedded.ports import free_port
from neurobotanica.embedded.processes import POLL_SECONDS, ServerMark, end_server, log_tail, start_detached

START_SECONDS = 60.0
# SIGTERM writes the append-only file out before the server ends.
STOP_REQUESTS = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))


class ValkeyServer:
    """The Valkey server of one home. Queued tasks survive a restart: every write goes to an append-only file."""

    def __init__(self, home: ServicesHome) -> None:
        self.home = home
        self.folder = home.valkey_folder
        self.configuration = self.folder / "valkey.conf"
        self.pid_file = self.folder / "valkey.pid"
        self.log = self.folder / "valkey.log"
        self.mark = ServerMark(program="valkey-server", argument=str(self.configuration))

    def url(self, port: int) -> str:
        """The URL of logical database 0."""
        return f"redis://:{self.home.record.valkey_password}@127.0.0.1:{port}/0"

    def running(self) -> int | None:
        """The port of this home's live server when it answers to its password, else None."""
        pid, port = self.recorded_pid(), self.recorded_port()
        if pid is None or port is None or not self.mark.matches(pid) or not self._answers(port):
            return None
        return port

    def recorded_pid(self) -> int | None:
        """The pid in Valkey's own pid file, true or stale."""
        try:
            return int(self.pid_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def recorded_port(self) -> int | None:
        """The port in the configuration that the server was last started with."""
        try:
            found = re.search(r"^port (\d+)$", self.configuration.read_text(encoding="utf-8"), re.MULTILINE)
        except OSError:
            return None
        return int(found[1]) if found is not None else None

    def start(self) -> int:
        """Start the server unless it runs, wait until it answers, and return its port. The caller holds the lock.

        Raises:
            EmbeddedServiceError: with the end of the server's log.
        """
        account = self.home.account()
        program = valkey_program(self.home.storage, account)
        deadline = time.monotonic() + START_SECONDS
        while True:
            port = self._adopt(deadline)
            if port is not None:
                return port
            self.pid_file.unlink(missing_ok=True)
            port = free_port(preferred=self.recorded_port())
            write_private(self.configuration, self._settings(port), owner=account)
            started_at = self.log.stat().st_size if self.log.exists() else 0
            command = [str(program), str(self.configuration)]
            start_detached(account, command, folder=self.folder, log=self.log)
            port = self._adopt(deadline)
            if port is not None:
                return port
            reason = log_tail(self.log, start=started_at)
            if time.monotonic() >= deadline or "Address already in use" not in reason:
                raise EmbeddedServiceError(f"Valkey did not start; its log {self.log} ends with:\n{reason}")

    def stop(self) -> bool:
        """Stop the server and wait; False when none ran. The caller holds the home's lock."""
        pid = self.mark.find()
        if pid is None:
            return False
        end_server(self.mark, pid, requests=STOP_REQUESTS)
        return True

    def _adopt(self, deadline: float) -> int | None:
        """Wait for a server that is starting, ours or one that a killed starter left; None when there is none.

        The process table is searched, not the pid file: a starter killed before the file was written would otherwise
        get a second server writing to the same append-only file.
        """
        while (pid := self.mark.find()) is not None:
            port = self.running()
            if port is not None:
                return port
            if time.monotonic() >= deadline:
                raise EmbeddedServiceError(
                    f"Valkey (pid {pid}) has not answered for {START_SECONDS:.0f} s; see {self.log}"
                )
            time.sleep(POLL_SECONDS / 5)
        return None

    def _answers(self, port: int) -> bool:
        """Whether the server on `port` accepts our password and has loaded its data."""
        request = f"AUTH {self.home.record.valkey_password}\r\nPING\r\nQUIT\r\n".encode()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(request)
                with connection.makefile("rb") as answer:
                    return answer.readline() == b"+OK\r\n" and answer.readline() == b"+PONG\r\n"
        except OSError:
            return False

    def _settings(self, port: int) -> str:
        sync = "everysec" if self.home.record.durable else "no"
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {self.home.record.valkey_password}",
            f"dir {_quoted(self.folder)}",
            f"pidfile {_quoted(self.pid_file)}",
            "daemonize no",
            'logfile ""',
            # The command line is how this server is recognised, so it must not be rewritten.
            "set-proc-title no",
            "appendonly yes",
            f"appendfsync {sync}",
            'save ""',
            # A broker must refuse a write rather than evict a queued task.
            "maxmemory-policy noeviction",
        ]
        return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    text = os.fspath(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
