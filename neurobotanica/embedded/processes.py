"""Child processes of the embedded servers: run, detach, recognise, end.

A pid alone proves nothing: it may have been given to another program since it was written down. A server is
recognised by its command line, which names a folder or file that only this home has. /proc/<pid>/cmdline is readable
by every account, also inside containers where /proc/<pid>/exe and cwd are not.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from neurobotanica.embedded.accounts import Account
from neurobotanica.embedded.errors import EmbeddedServiceError

PROC = Path("/proc")
POLL_SECONDS = 0.05
EXEC_SECONDS = 10.0
PRIVATE_UMASK = 0o077


@dataclass(frozen=True)
class ServerMark:
    """What tells a server of this home from every other process: its program and an argument that only it has."""

    program: str
    argument: str

    def matches(self, pid: int) -> bool:
        """Whether the live process `pid` is that server; False for a dead, recycled or zombie pid."""
        command = command_line(pid)
        return bool(command) and Path(command[0]).name == self.program and self.argument in command[1:]

    def find(self) -> int | None:
        """The pid of that server among all processes of the machine, or None."""
        for pid in _all_pids():
            if self.matches(pid):
                return pid
        return None


def command_line(pid: int) -> list[str]:
    """Program and arguments of a live process; empty when there is no such process or it has ended."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(part) for part in raw.split(b"\0")[:-1]]


def exists(pid: int) -> bool:
    """Whether any process has this pid now, whoever owns it."""
    return (PROC / str(pid)).exists()


def _all_pids() -> Iterable[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def server_environment(folder: Path) -> dict[str, str]:
    """A small environment: nothing of the caller's (secrets, library paths, locale) reaches a server."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "HOME": str(folder), "TZ": "UTC"}


def run_to_end(
    account: Account, command: list[str], *, folder: Path, timeout: float, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a server tool as `account` and return what it printed (stderr joined to stdout).

    Raises:
        EmbeddedServiceError: it can't be run, or ran past `timeout` seconds.
    """
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=server_environment(folder),
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            umask=PRIVATE_UMASK,
            check=False,
            **account.identity_arguments(),
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedServiceError(f"{Path(command[0]).name} did not finish in {timeout:.0f} s; try again") from error
    except OSError as error:
        raise EmbeddedServiceError(f"cannot run {command[0]} as {account.name}: {error.strerror}") from error


def start_detached(account: Account, command: list[str], *, folder: Path, log: Path) -> int:
    """Start `command` so that it outlives this process, and return its pid.

    A new session keeps the terminal's Ctrl-C away from it; its three standard streams go to /dev/null and `log`, so
    that nobody who waits for the end of our output (a pipe, pytest's capture) waits for the server. The shell in
    between ends at once, so the server's parent is init and it never becomes our zombie.
    """
    script = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
    finished = subprocess.run(
        ["/bin/sh", "-c", script, "sh", str(log), *command],
        cwd=folder,
        env=server_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        umask=PRIVATE_UMASK,
        check=False,
        **account.identity_arguments(),
    )
    if finished.returncode != 0:
        raise EmbeddedServiceError(f"cannot start {command[0]} as {account.name}: {finished.stderr.strip()}")
    pid = int(finished.stdout)
    deadline = time.monotonic() + EXEC_SECONDS
    # Until the shell's child has become the server, nobody would recognise it.
    while command_line(pid)[:1] == ["/bin/sh"] and time.monotonic() < deadline:
        time.sleep(0.001)
    return pid


def end_server(mark: ServerMark, pid: int, *, requests: Iterable[tuple[signal.Signals, float]]) -> None:
    """End the server: each request is a signal and the seconds to wait for its effect before the next, harder one.

    Raises:
        EmbeddedServiceError: this account may not signal it, or it survived.
    """
    for request, patience in requests:
        if not mark.matches(pid):
            return
        try:
            os.kill(pid, request)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise EmbeddedServiceError(
                f"{mark.program} (pid {pid}) belongs to another account; stop it with the account that started it"
            ) from error
        if wait_until_gone(mark, pid, timeout=patience):
            return
    raise EmbeddedServiceError(f"{mark.program} (pid {pid}) did not end; look at it with ps")


def wait_until_gone(mark: ServerMark, pid: int, *, timeout: float) -> bool:
    """Whether the server ended within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while mark.matches(pid):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def log_tail(log: Path, *, lines: int = 12, start: int = 0) -> str:
    """The last lines that a server wrote to its log, from byte `start` on."""
    try:
        text = log.read_bytes()[start:].decode(errors="replace")
    except OSError as error:
        return f"(no log at {log}: {error.strerror})"
    return "\n".join(text.splitlines()[-lines:])
