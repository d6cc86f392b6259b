"""Which operating-system account the embedded servers run as.

PostgreSQL refuses to run as root. For an ordinary user the servers run as that user. For root they run as an existing
unprivileged account: NEUROBOTANICA_SERVICE_USER if set, else `neurobotanica` if the machine has it, else `nobody`.
No account is created, and no permission outside the project's own folders is changed.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from neurobotanica.embedded.errors import EmbeddedServiceError

CANDIDATES_FOR_ROOT = ("neurobotanica", "nobody")


class IdentityArguments(TypedDict, total=False):
    """The arguments of subprocess.Popen that change who the child is."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The account of the servers; `dropped` when this process must give up root to become it."""

    name: str
    uid: int
    gid: int
    dropped: bool

    def identity_arguments(self) -> IdentityArguments:
        """Arguments for subprocess.Popen: none unless privileges must be dropped."""
        if not self.dropped:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take(self, path: Path) -> None:
        """Give `path`, which this process has just made, to the account."""
        if self.dropped:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_enter(self, folder: Path) -> bool:
        """Whether the account can reach `folder`: asked of the kernel, since ACLs and mounts count as well as modes."""
        return self._succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)])

    def can_run(self, executable: Path) -> bool:
        """Whether the account can load and run `executable`, found out by asking for its version."""
        return self._succeeds([str(executable), "--version"])

    def _succeeds(self, command: list[str]) -> bool:
        try:
            finished = subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                **self.identity_arguments(),
            )
        except PermissionError:
            return False
        return finished.returncode == 0


def server_account(existing: Path) -> Account:
    """The account for the servers whose folder is `existing` (which need not exist yet).

    As root, data that already belongs to an ordinary user keeps that user, so that a home may be used with and
    without root.

    Raises:
        EmbeddedServiceError: running as root on a machine without an unprivileged account to use.
    """
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()), dropped=False) if _has_entry() else _nameless()
    if existing.exists() and existing.stat().st_uid != 0:
        return _account_of_uid(existing.stat().st_uid, existing)
    wanted = os.environ.get("NEUROBOTANICA_SERVICE_USER")
    for name in (wanted,) if wanted else CANDIDATES_FOR_ROOT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return _account(entry, dropped=True)
    raise EmbeddedServiceError(
        f"PostgreSQL refuses to run as root, and this machine has no account {wanted or 'nobody'} to run it as. "
        "Name an existing unprivileged account in NEUROBOTANICA_SERVICE_USER, or set DATABASE_URL and REDIS_URL."
    )


def _has_entry() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _nameless() -> Account:
    raise EmbeddedServiceError(
        f"user id {os.geteuid()} has no entry in the account database, which PostgreSQL's initdb needs. "
        "Add one (in a container: useradd), or set DATABASE_URL and REDIS_URL."
    )


def _account_of_uid(uid: int, folder: Path) -> Account:
    try:
        return _account(pwd.getpwuid(uid), dropped=True)
    except KeyError as error:
        raise EmbeddedServiceError(
            f"{folder} belongs to user id {uid}, which this machine doesn't know. "
            "Add that account, or set NEUROBOTANICA_HOME to another folder."
        ) from error


def _account(entry: pwd.struct_passwd, *, dropped: bool) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, dropped=dropped)
