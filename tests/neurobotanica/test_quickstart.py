"""A newcomer who follows the Quickstart alone gets a prediction with curl, with the Python client and from JavaScript."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import playwright
import pytest

from ethics.clients import api_key_create, client_create
from ethics.policy import Audience
from neurobotanica.serving_bench import granian_server
from tests.factories import make_community, make_item, make_model_version, make_practice, make_target, publish
from tests.service_home import PROJECT_ROOT

TEXT = (PROJECT_ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
CLIENT = PROJECT_ROOT / "clients" / "python"
STATEMENT = "Synthetic statement of the community"
NOTE = "Not medical advice"
# The browser tests' library brings one.
NODE = shutil.which("node") or str(Path(playwright.__file__).parent / "driver" / "node")


def blocks(language: str) -> str:
    """All blocks of a language, one after another."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S))


@pytest.fixture
def environment(committed_database, monkeypatch, django_db_blocker) -> Iterator[dict[str, str]]:
    """A served platform that knows what the Quickstart asks for, and a key."""
    monkeypatch.setenv("DATABASE_URL", committed_database.url)
    with django_db_blocker.unblock():
        item = make_item(community=make_community(), statement=STATEMENT)
        practice, target = make_practice(item=item, slug="thailand-suk-sai-yad"), make_target("CNR1")
        publish(make_model_version(), [practice], [target])
        _, key = api_key_create(client=client_create(organisation="New", audience=Audience.COMMERCIAL), name="new")
        with granian_server("neurobotanica.wsgi:application", ready_path="/healthz", workers=1, environment={}) as (
            port,
            _,
        ):
            yield {
                "NEUROBOTANICA_URL": f"http://127.0.0.1:{port}",
                "NEUROBOTANICA_KEY": key,
                "PYTHONPATH": str(CLIENT),
                "PATH": os.environ["PATH"],
                "PYTHONSAFEPATH": "1",
            }


def run(arguments: list[str], code: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        arguments, input=code, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
def test_the_curl_calls_do_what_they_say(environment):
    told = blocks("bash").replace("export NEUROBOTANICA_URL=http://127.0.0.1:8000\n", "")
    script = "set -eo pipefail\n" + told.replace("export NEUROBOTANICA_KEY=your-key\n", "")
    printed = run(["bash"], script, environment)
    assert printed.count(NOTE) >= 4 and '"nearest_training_evidence"' in printed
    assert printed.count(STATEMENT) >= 4


def test_the_python_blocks_do_what_they_say(environment):
    printed = run([sys.executable, "-"], blocks("python"), environment)
    assert printed.splitlines()[0] == "1 CNR1 0.5"
    assert STATEMENT in printed and NOTE in printed and "404 There is nothing" in printed and "1 targets" in printed


def test_the_javascript_block_does_what_it_says(environment):
    printed = run([NODE, "--input-type=module", "-"], blocks("javascript"), environment)
    assert STATEMENT in printed and NOTE in printed
