"""The home of the embedded services: where their data, passwords and lock lie.

    <home>/services.json    passwords and where the data is (0600)
    <home>/services.lock    held while servers are started or stopped
    <storage>/postgres      data, socket and log of PostgreSQL (0700, belongs to the servers' account)
    <storage>/valkey        the same for Valkey

The storage is the home itself. Only where root's unprivileged account can't enter the home (a checkout in a home of
mode 700) is it `/var/lib/neurobotanica/<hash of the home's path>`.
"""

import hashlib
import json
import os
import secrets
import shutil
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path

from neurobotanica.embedded.accounts import Account, server_account
from neurobotanica.embedded.errors import EmbeddedServiceError
from neurobotanica.embedded.files import unusable_folder, write_private

SYSTEM_STORAGE = Path("/var/lib/neurobotanica")
FREE_BYTES_NEEDED = 256 * 1024 * 1024
RECORD_NAME = "services.json"
SERVER_FOLDERS = ("postgres", "valkey")


@dataclass(frozen=True)
class HomeRecord:
    """What services.json holds. `durable` is settled when the home is made and never changes.

    `app_password` is empty in a home that was made before the application had a role of its own; the next start gives it
    one.
    """

    home: str
    storage: str
    durable: bool
    superuser_password: str
    owner_password: str
    valkey_password: str
    app_password: str = ""


@dataclass(frozen=True)
class ServicesHome:
    """An opened home: its own folder, the folder that holds the servers' data, the account, the passwords."""

    folder: Path
    storage: Path
    record: HomeRecord

    @property
    def postgres_folder(self) -> Path:
        return self.storage / "postgres"

    @property
    def valkey_folder(self) -> Path:
        return self.storage / "valkey"

    def account(self) -> Account:
        """The account that the servers of this home run as."""
        return server_account(self.postgres_folder)


def lock_path(home: Path) -> Path:
    """The lock of the home `home`."""
    return home / "services.lock"


def find_home(home: Path) -> ServicesHome | None:
    """Open a home that already has its record; None when no service was ever started there. Writes nothing.

    Raises:
        EmbeddedServiceError: the record can't be read, or the home was moved away from its storage.
    """
    folder = Path(os.path.realpath(home))
    path = folder / RECORD_NAME
    try:
        record = HomeRecord(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise EmbeddedServiceError(
            f"cannot read {path}: these services belong to another account. "
            "Use that account, or set NEUROBOTANICA_HOME to a folder of your own."
        ) from error
    except (ValueError, TypeError) as error:
        names = ", ".join(field.name for field in fields(HomeRecord) if field.default is MISSING)
        raise EmbeddedServiceError(
            f"{path} is damaged ({error}); it must be a JSON object with {names}. Restore it from a backup, "
            f"or remove {folder} to start with empty services."
        ) from error
    if record.storage == ".":
        return ServicesHome(folder=folder, storage=folder, record=record)
    if record.home != str(folder):
        raise EmbeddedServiceError(
            f"{folder} was moved or copied from {record.home}, whose data stays in {record.storage}. "
            f"Move it back, or remove {path} to start with empty services here."
        )
    return ServicesHome(folder=folder, storage=Path(record.storage), record=record)


def make_folder(home: Path) -> Path:
    """Create the home's own folder if it is missing (mode 755, so that the servers' account can pass) and return it.

    Raises:
        EmbeddedServiceError: it can't be created or written.
    """
    folder = Path(os.path.realpath(home))
    try:
        if not folder.exists():
            # The lock lies in this folder, so another starter may be making it at the same moment.
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "permission denied")
    except OSError as error:
        raise unusable_folder(folder, error) from error
    return folder


def open_home(folder: Path, *, durable: bool) -> ServicesHome:
    """Open the home, making its record and the servers' folders when they are missing. The caller holds the lock.

    Raises:
        EmbeddedServiceError: not enough space, not writable, or not enterable for the servers' account.
    """
    home = find_home(folder)
    if home is None:
        home = _new_home(folder, durable=durable)
    account = home.account()
    for name in SERVER_FOLDERS:
        _make_server_folder(home.storage / name, account)
    if not account.can_enter(home.postgres_folder):
        raise EmbeddedServiceError(
            f"the servers run as {account.name}, which can no longer enter {home.postgres_folder}: a folder above it "
            "has lost its permission to pass. Restore that permission, or set NEUROBOTANICA_HOME to another folder."
        )
    return home


def _new_home(folder: Path, *, durable: bool) -> ServicesHome:
    leftovers = [folder / name for name in SERVER_FOLDERS if (folder / name / "data").exists()]
    if leftovers:
        raise EmbeddedServiceError(
            f"{leftovers[0]} holds data but {folder / RECORD_NAME} with its passwords is gone. "
            "Restore that file from a backup, or remove the folder to start with empty services."
        )
    account = server_account(folder / "postgres")
    storage = _choose_storage(folder, account)
    free = shutil.disk_usage(storage).free
    if free < FREE_BYTES_NEEDED:
        raise EmbeddedServiceError(
            f"only {free // 2**20} MB are free under {storage}, and a new database needs "
            f"{FREE_BYTES_NEEDED // 2**20} MB. Free some space, or set NEUROBOTANICA_HOME to a folder on another disk."
        )
    record = HomeRecord(
        home=str(folder),
        storage="." if storage == folder else str(storage),
        durable=durable,
        superuser_password=secrets.token_urlsafe(32),
        owner_password=secrets.token_urlsafe(32),
        valkey_password=secrets.token_urlsafe(32),
        app_password=secrets.token_urlsafe(32),
    )
    return _recorded(ServicesHome(folder=folder, storage=storage, record=record))


def with_app_password(home: ServicesHome, password: str) -> ServicesHome:
    """The home with the password of the application's role noted in its record. The caller holds the lock."""
    return _recorded(replace(home, record=replace(home.record, app_password=password)))


def _recorded(home: ServicesHome) -> ServicesHome:
    write_private(home.folder / RECORD_NAME, json.dumps(asdict(home.record), indent=2) + "\n")
    return home


def _choose_storage(folder: Path, account: Account) -> Path:
    if not account.dropped or account.can_enter(folder):
        return folder
    storage = SYSTEM_STORAGE / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    try:
        for made in (SYSTEM_STORAGE, storage):
            if not made.exists():
                # The lock is one home's: a starter of another home may be making the folder that all homes share.
                made.mkdir(exist_ok=True)
                made.chmod(0o755)
    except OSError as error:
        raise unusable_folder(storage, error) from error
    if not account.can_enter(storage):
        raise EmbeddedServiceError(
            f"the servers run as {account.name}, which can enter neither {folder} nor {storage}. "
            f"Set NEUROBOTANICA_HOME to a folder that {account.name} may enter."
        )
    return storage


def _make_server_folder(folder: Path, account: Account) -> None:
    if folder.is_dir():
        return
    try:
        folder.mkdir(mode=0o700)
        account.take(folder)
    except OSError as error:
        raise unusable_folder(folder.parent, error) from error
