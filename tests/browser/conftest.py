"""A real browser on a real server over a committed database; a real worker where a test asks for one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, Response, sync_playwright

from tests.conftest import CommittedDatabase
from tests.genomepath.own_broker import OwnBroker, own_broker
from tests.service_home import PROJECT_ROOT

CHROMIUM_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
START_SECONDS = 60


@pytest.fixture(autouse=True)
def chromium() -> str:
    """Where Debian's Chromium is. Without it the tests are skipped, or fail where REQUIRE_BROWSER asks for them."""
    path = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, and there is no Chromium")
        pytest.skip("not run: no Chromium")
    return path


@pytest.fixture
def browser(chromium: str, committed_database: CommittedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """One a test. While it is open, playwright's event loop runs in this thread: Django would refuse to query, and keeps
    connections apart from those outside. So the database is cloned before, and the inner connections are closed here.
    """
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield opened
        connections.close_all()
        opened.close()


@pytest.fixture
def broker() -> Iterator[OwnBroker]:
    """Queues of the test's own."""
    with own_broker() as broker:
        yield broker


@dataclass(frozen=True)
class Site:
    """A running site: where it answers, and how to start a worker for it."""

    url: str
    start_worker: Callable[[], None]
    log: Path


@pytest.fixture
def site(
    committed_database: CommittedDatabase, django_db_blocker, broker: OwnBroker, tmp_path: Path, settings
) -> Iterator[Site]:
    """Granian on a free port, on the database that the test writes to, with the test's own artefacts and queues."""
    environment = {
        **os.environ,
        "DATABASE_URL": committed_database.url,
        "ARTEFACT_ROOT": str(settings.ARTEFACT_ROOT),
        "AUDIT_FOLDER": str(settings.AUDIT_FOLDER),
        "CELERY_KEY_PREFIX": broker.key_prefix,
        "OMP_NUM_THREADS": "1",
    }
    log, port = tmp_path / "site.log", _free_port()
    processes: list[subprocess.Popen] = []

    def start(*arguments: str) -> None:
        with log.open("ab") as output:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", *arguments], cwd=PROJECT_ROOT, env=environment, stdout=output, stderr=output
                )
            )

    def start_worker() -> None:
        start(
            "celery", "-A", "neurobotanica", "worker", "-Q", "ml,default", "--concurrency", "1", "--loglevel", "WARNING"
        )

    url = f"http://127.0.0.1:{port}"
    try:
        start(
            "granian",
            "--interface",
            "wsgi",
            "neurobotanica.wsgi:application",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        )
        _wait_until_it_answers(url, processes[0], log)
        with django_db_blocker.unblock():
            yield Site(url, start_worker, log)
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in reversed(processes):
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each with cookies of its own, and fails the test on a script error or a refused resource."""
    contexts, faults = [], []

    def open_one(**options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
        page.on(
            "response",
            lambda answer: faults.append(f"{answer.status} {answer.url}") if _is_broken_asset(answer) else None,
        )
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert faults == []


def log_in(page: Page, site: Site, username: str, password: str) -> None:
    """Sign in through the form."""
    page.goto(f"{site.url}/admin/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{site.url}/admin/")


def _is_broken_asset(answer: Response) -> bool:
    return answer.status >= 400 and "/static/" in answer.url


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/", timeout=2):  # noqa: S310  a loopback address of ours
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    pytest.fail(f"the site did not start:\n{log.read_text()[-4000:]}")
