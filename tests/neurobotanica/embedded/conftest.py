"""Homes for real servers, in folders that any account may enter (pytest's own temporary folders are closed)."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neurobotanica.embedded import ensure_services, remove_services


@pytest.fixture
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="nb-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def new_home(open_folder: Path) -> Iterator[Callable[[str], Path]]:
    """Makes home paths; whatever was started in them is stopped and removed at the end."""
    made: list[Path] = []

    def make(name: str = "home") -> Path:
        made.append(open_folder / name)
        return made[-1]

    yield make
    for home in made:
        remove_services(home)


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """A durable home with running servers, for tests that only look."""
    folder = Path(tempfile.mkdtemp(prefix="nb-", dir="/tmp"))
    folder.chmod(0o755)
    ensure_services(folder / "home", fast_test_db=False)
    yield folder / "home"
    remove_services(folder / "home")
    shutil.rmtree(folder)


@pytest.fixture
def home(new_home: Callable[[str], Path]) -> Path:
    return new_home("home")
