"""What `.ci/run` and the Makefile do, run with a stand-in for make or in a folder without Python."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CI_TOOLS = ("bash", "dirname", "id", "env")
MAKE_TOOLS = ("make", "sh", "cat", "cksum", "tr", "rm", "touch", "sed")


def tool_folder(folder: Path, names: tuple[str, ...]) -> Path:
    """A PATH that holds these tools and no others."""
    folder.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found is not None, f"this test needs {name}"
        (folder / name).symlink_to(found)
    return folder


def run_ci(tmp_path: Path, *, failing: str = "") -> tuple[int, list[str]]:
    """Run the script with a `make` that writes down its calls and fails for one target."""
    tools = tool_folder(tmp_path / "tools", CI_TOOLS)
    calls = tmp_path / "calls"
    stand_in = f'#!/bin/sh\necho "$* REQUIRE_BROWSER=$REQUIRE_BROWSER" >> "{calls}"\n[ "$1" != "{failing}" ]\n'
    for name, text in (("make", stand_in), ("chromium", "#!/bin/sh\n")):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    finished = subprocess.run(
        [str(PROJECT / ".ci" / "run")], env={"PATH": str(tools)}, cwd=tmp_path, capture_output=True, check=False
    )
    return finished.returncode, calls.read_text().splitlines()


def test_ci_runs_lint_and_tests_with_a_required_browser_and_stops_the_services(tmp_path):
    assert run_ci(tmp_path) == (
        0,
        ["lint REQUIRE_BROWSER=1", "test REQUIRE_BROWSER=1", "--no-print-directory stop REQUIRE_BROWSER=1"],
    )


@pytest.mark.parametrize(("failing", "targets"), [("lint", ["lint"]), ("test", ["lint", "test"])])
def test_ci_fails_at_the_first_failure_and_still_stops_the_services(tmp_path, failing, targets):
    code, calls = run_ci(tmp_path, failing=failing)

    assert code != 0
    assert [call.split()[0] for call in calls[:-1]] == targets
    assert "stop" in calls[-1]


def make_in(folder: Path, tools: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(PROJECT / name, folder / name)
    return subprocess.run(
        ["make", *arguments], env={"PATH": str(tools)}, cwd=folder, capture_output=True, text=True, check=False
    )


def test_make_without_python_311_says_so_and_makes_nothing(tmp_path):
    folder = tmp_path / "clone"
    folder.mkdir()
    finished = make_in(folder, tool_folder(tmp_path / "tools", MAKE_TOOLS), "test")

    assert finished.returncode != 0
    assert "Python 3.11 was not found" in finished.stderr
    assert not (folder / ".venv").exists()


def test_make_alone_lists_every_target(tmp_path):
    folder = tmp_path / "clone"
    folder.mkdir()
    finished = make_in(folder, tool_folder(tmp_path / "tools", MAKE_TOOLS))

    listed = {line.split()[0] for line in finished.stdout.splitlines() if line.startswith("  ")}
    assert listed == {"help", "demo", "test", "test-all", "lint", "bench", "client", "stop", "clean"}


def test_an_installation_that_was_interrupted_has_no_stamp_and_is_done_again(tmp_path):
    folder = tmp_path / "clone"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / ".installed-of-older-pins").touch()
    tools = tool_folder(tmp_path / "tools", MAKE_TOOLS)
    python = f'#!/bin/sh\necho "$@" >> \'{tmp_path}/python-calls\'\ncase "$*" in *install*) exit 130;; esac\n'
    for place in (tools / "python3.11", folder / ".venv" / "bin" / "python"):
        place.write_text(python)
        place.chmod(0o755)

    for _ in range(2):
        assert make_in(folder, tools, "test").returncode != 0

    assert list((folder / ".venv").glob(".installed-*")) == []
    installs = [line for line in (tmp_path / "python-calls").read_text().splitlines() if "pip install" in line]
    assert installs == ["-m pip install -c constraints.txt -e .[dev]"] * 2


def test_services_of_tests_and_lint_live_in_homes_of_their_own():
    shown = subprocess.run(
        ["make", "-n", "-B", "test", "lint"],
        cwd=PROJECT,
        env={**os.environ, "NEUROBOTANICA_HOME": "/some/home"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "NEUROBOTANICA_HOME='/some/home/test'" in shown
    assert "NEUROBOTANICA_HOME='/some/home/lint'" in shown
