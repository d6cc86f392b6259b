"""What the README promises a newcomer exists."""

from __future__ import annotations

import re
import subprocess

import pytest
from django.core.management import get_commands

from tests.service_home import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(
    set(re.findall(r"manage\.py ([a-z][a-z_0-9]+)", README)) | set(re.findall(r"^\| `([a-z_0-9]+)", README, re.M))
)


def test_every_command_of_the_readme_exists():
    variables = {name for name in COMMANDS if name.isupper()}
    assert {"load_bundled", "predict", "create_api_key"} <= set(COMMANDS)
    assert set(COMMANDS) - variables - set(get_commands()) == set()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.M))))
def test_every_make_target_of_the_readme_exists(target):
    asked = subprocess.run(["make", "-n", target], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w/.-]+\.(?:md|yml))`", README))))
def test_every_file_that_the_readme_names_exists(path):
    assert (PROJECT_ROOT / path).is_file()
