"""Start, find, stop and describe both servers of a home."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from neurobotanica.embedded.app_role import add_app_role
from neurobotanica.embedded.files import unusable_folder
from neurobotanica.embedded.home import (
    RECORD_NAME,
    SERVER_FOLDERS,
    ServicesHome,
    find_home,
    lock_path,
    make_folder,
    open_home,
)
from neurobotanica.embedded.locks import exclusive_lock
from neurobotanica.embedded.postgres import PostgresServer
from neurobotanica.embedded.valkey import ValkeyServer

FAST_TEST_VARIABLE = "NEUROBOTANICA_FAST_TEST_DB"
Address = TypeVar("Address")


@dataclass(frozen=True)
class ServiceUrls:
    """How to reach the servers: what DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL would hold."""

    database_url: str
    database_owner_url: str
    redis_url: str


@dataclass(frozen=True)
class DatabaseUrls:
    """The database as the application's role and as its owner."""

    app: str
    owner: str


@dataclass(frozen=True)
class ServiceStatus:
    """One server: whether it runs, its pid, where it listens (no password) and its log."""

    name: str
    running: bool
    pid: int | None
    address: str | None
    log: str | None


def ensure_services(home: Path, *, fast_test_db: bool | None = None) -> ServiceUrls:
    """Both servers of `home`, started if they don't run. They outlive this process; stop_services ends them.

    `fast_test_db` (default: whether NEUROBOTANICA_FAST_TEST_DB is 1) makes a new home skip fsync, for tests alone. It
    has no effect on a home that exists already, so data that people rely on can't lose its durability by accident.

    Raises:
        EmbeddedServiceError: what went wrong and what to do.
    """
    database = ensure_postgres(home, fast_test_db=fast_test_db)
    return ServiceUrls(
        database_url=database.app,
        database_owner_url=database.owner,
        redis_url=ensure_valkey(home, fast_test_db=fast_test_db),
    )


def ensure_postgres(home: Path, *, fast_test_db: bool | None = None) -> DatabaseUrls:
    """The database URLs of the home's PostgreSQL, started if it doesn't run; see ensure_services."""
    return _ensure(home, _running_postgres, _started_postgres, fast_test_db)


def ensure_valkey(home: Path, *, fast_test_db: bool | None = None) -> str:
    """The Redis URL of the home's Valkey, started if it doesn't run; see ensure_services."""
    return _ensure(home, _running_valkey, _started_valkey, fast_test_db)


def stop_services(home: Path) -> list[str]:
    """Stop the servers of `home` and return the names of those that ran.

    Raises:
        EmbeddedServiceError: a server belongs to another account or doesn't end.
    """
    if find_home(home) is None:
        return []
    folder = make_folder(home)
    with exclusive_lock(lock_path(folder)):
        opened = find_home(folder)
        if opened is None:
            return []
        return _stop(opened)


def remove_services(home: Path) -> list[str]:
    """Stop the servers of `home`, delete their data for good, and return the names of those that ran.

    Everything else in the home stays. Data of root that had to be kept outside the home goes too.

    Raises:
        EmbeddedServiceError: a server doesn't end, or files belong to another account.
    """
    if find_home(home) is None:
        return []
    folder = make_folder(home)
    with exclusive_lock(lock_path(folder)):
        opened = find_home(folder)
        if opened is None:
            return []
        stopped = _stop(opened)
        try:
            for name in SERVER_FOLDERS:
                if (opened.storage / name).exists():
                    shutil.rmtree(opened.storage / name)
            if opened.storage != folder and opened.storage.exists():
                shutil.rmtree(opened.storage)
            (folder / RECORD_NAME).unlink()
        except OSError as error:
            raise unusable_folder(folder, error) from error
    return stopped


def services_status(home: Path) -> list[ServiceStatus]:
    """The state of both servers of `home`, without starting or changing anything."""
    opened = find_home(home)
    if opened is None:
        return [ServiceStatus(name, False, None, None, None) for name in ("postgres", "valkey")]
    postgres, valkey = PostgresServer(opened), ValkeyServer(opened)
    state, port = postgres.running(), valkey.running()
    address = None
    if state is not None:
        address = str(postgres.socket) if postgres.socket is not None else f"127.0.0.1:{state.port}"
    return [
        ServiceStatus("postgres", state is not None, state.pid if state else None, address, str(postgres.log)),
        ServiceStatus(
            "valkey",
            port is not None,
            valkey.recorded_pid() if port is not None else None,
            f"127.0.0.1:{port}" if port is not None else None,
            str(valkey.log),
        ),
    ]


def _stop(home: ServicesHome) -> list[str]:
    stopped = (("valkey", ValkeyServer(home).stop()), ("postgres", PostgresServer(home).stop()))
    return [name for name, ran in stopped if ran]


def _ensure(
    home: Path,
    running: Callable[[ServicesHome], Address | None],
    started: Callable[[ServicesHome], Address],
    fast_test_db: bool | None,
) -> Address:
    opened = find_home(home)
    address = running(opened) if opened is not None else None
    if address is not None:
        return address
    fast = os.environ.get(FAST_TEST_VARIABLE) == "1" if fast_test_db is None else fast_test_db
    folder = make_folder(home)
    with exclusive_lock(lock_path(folder)):
        return started(open_home(folder, durable=not fast))


def _running_postgres(home: ServicesHome) -> DatabaseUrls | None:
    server = PostgresServer(home)
    state = server.running()
    if state is None or not home.record.app_password:
        return None
    return DatabaseUrls(app=server.app_url(state.port), owner=server.owner_url(state.port))


def _started_postgres(home: ServicesHome) -> DatabaseUrls:
    port = PostgresServer(home).start().port
    if not home.record.app_password:
        home = add_app_role(home, port)
    server = PostgresServer(home)
    return DatabaseUrls(app=server.app_url(port), owner=server.owner_url(port))


def _running_valkey(home: ServicesHome) -> str | None:
    server = ValkeyServer(home)
    port = server.running()
    return server.url(port) if port is not None else None


def _started_valkey(home: ServicesHome) -> str:
    server = ValkeyServer(home)
    return server.url(server.start())
